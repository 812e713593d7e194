"""Work spread over a Dask cluster."""
