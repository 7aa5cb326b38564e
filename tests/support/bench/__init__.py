"""What benches share: the hosts and loads of the transport bench, and two ways measured in turn."""
