"""Door 3: the provider plugin, by which programs in every language make the same lookups and campaigns.

It loads neither the Pulumi SDK nor door 1: what starts with every preview must start fast.
"""
