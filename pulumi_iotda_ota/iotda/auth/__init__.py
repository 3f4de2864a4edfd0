"""Settings, credentials and signatures. Nothing here uses the network."""
