"""What programs of the Jupyter project need to know about Rust notebooks."""
