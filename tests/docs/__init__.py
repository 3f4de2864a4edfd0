"""The pages of README, docs/ and the examples: each block runs, each link has a target, each name is documented.

The other lanes test the behaviour that a page promises.
"""
