"""The adapters to AWS, with fakes of its clients."""
