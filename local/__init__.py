"""The stack on one machine: the engine, its deployment, the demo inbox and the command that starts them all."""
