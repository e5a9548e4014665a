package machines

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// separate keeps the signals of the terminal, such as ctrl+c, away from a child. The program itself
// ends its children.
func separate(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// errNoStop is why a process cannot be paused.
var errNoStop = errors.New("Windows has no SIGSTOP: pause a node on Linux or macOS, or isolate it")

func stop(*os.Process) error   { return errNoStop }
func resume(*os.Process) error { return errNoStop }
