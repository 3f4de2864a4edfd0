"""One table of lookups and answers, through every door. Other lanes say why an answer is right, this one only which."""
