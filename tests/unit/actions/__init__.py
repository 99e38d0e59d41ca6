"""The actions, with fakes of their ports."""
