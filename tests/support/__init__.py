"""What tests share: programs, processes, servers and values. No test is here."""
