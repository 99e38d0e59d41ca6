"""What `sam build` made, looked at and imported on its own."""
