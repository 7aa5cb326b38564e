"""The lab target: real Debian hosts and networks on the operator's machine, in network namespaces of their own."""
