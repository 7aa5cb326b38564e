"""What tests share, by what it stands for; imported as `support.<package>.<module>`.

azure          graphs of the Azure programs, the example's stacks, the baseline, Azurite
bench          the hosts of the transport bench, and two ways measured in turn
declarations   declarations and samples made for tests
doubles        what answers in the place of a service or a library
lab            booted hosts: bare, as a project, and as the pipeline from device to archive
programs       what tests copy to hosts and run there
"""
