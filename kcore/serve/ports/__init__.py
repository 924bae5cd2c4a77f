"""The ports that an API server opens: gRPC, and HTTPS. Each listens, serves its front-end, and stops within a time."""
