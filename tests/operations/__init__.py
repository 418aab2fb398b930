"""What operators see of a deployment: alarms and the dashboard, on metrics that the shipped functions have written."""
