"""Found by reading the core against its contract: each test failed before it was mended."""
