"""The plugin's real process over gRPC, without a command line."""
