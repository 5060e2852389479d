"""The cloud that runs the functions: deployment, instances, clients, queues, schedules and HTTP, on virtual time."""
