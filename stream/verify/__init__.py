"""Whether the promises held: every input has its one answer, and answers and state are what the log says."""
