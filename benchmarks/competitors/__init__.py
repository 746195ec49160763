"""What users would run otherwise, each written as its own users write it, and each run in a process of its own."""
