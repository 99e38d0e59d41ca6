"""Programs that submit the mails of a job, one for each way to do it: see `job`."""
