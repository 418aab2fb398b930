"""Every function with each of its events, in the container that Lambda runs, with the local world behind it."""
