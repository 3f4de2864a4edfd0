"""Everything that README, docs/ and the examples say: each block is run, each link leads somewhere, each name is told.

It tests no behaviour of its own: what a page promises is held by the other lanes.
"""
