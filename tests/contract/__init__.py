"""Against what others published: signing vectors, recorded answers, the vendor's SDK. Never against our own words."""
