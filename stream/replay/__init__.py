"""History through the same engine: files or a topic in, scores as Parquet out, compared with what was served."""
