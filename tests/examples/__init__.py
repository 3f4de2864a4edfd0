"""The demo, on the real `pulumi` and without it. tests/docs runs the commands of the other examples."""
