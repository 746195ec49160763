"""What tests share: real services, drawn data, oracles."""
