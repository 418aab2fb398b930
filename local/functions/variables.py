"""The environment of a function process: the template's variables and those that Lambda sets, nothing else."""

from local.functions.spec import FunctionSpec


def variables(spec: FunctionSpec, runtime_api: str, region: str, aws_url: str) -> dict[str, str]:
    """What a process of the function finds in `os.environ`.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime, and
    `AWS_ENDPOINT_URL`, by which the SDKs find moto. moto knows the role by the access key id.
    """
    task_root = str(spec.task_root)
    lambdas_own = {
        "_HANDLER": spec.handler,
        "AWS_ACCESS_KEY_ID": spec.role,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/{spec.name}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": region,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        # Not Lambda's, but what its home folder amounts to: nobody's ~/.aws/config is read.
        "HOME": "/nonexistent",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": task_root,
        "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": f"{task_root}:{task_root}/lib",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": ":".join(str(layer) for layer in spec.layers),
        "TZ": ":UTC",
    }
    return {**spec.variables, **lambdas_own}
