"""Interface 3: the provider plugin, for programs in every language.

It loads neither the Pulumi SDK nor the Python functions, because every preview waits for its start.
"""
