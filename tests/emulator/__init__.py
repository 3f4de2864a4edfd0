"""The local IoTDA by itself, asked by bare HTTP. Never through the client, whose mistakes it is there to catch."""
