"""Read lists page by page, one at a time or several at once."""
