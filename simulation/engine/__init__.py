"""The cloud that runs the functions on virtual time: instances, clients, queues, schedules, HTTP."""
