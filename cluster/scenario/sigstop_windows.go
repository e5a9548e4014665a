package scenario

// noSIGSTOP is why pause is not possible over processes.
const noSIGSTOP = "Windows has no SIGSTOP; isolate the node instead"
