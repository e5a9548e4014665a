package machines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
)

// helloTimeout is how long a new process may take until it answers.
const helloTimeout = 15 * time.Second

// child is a child process that runs a node.
type child struct {
	*control.Conn
	command *exec.Cmd
	hello   control.Hello
	stderr  *tail
}

// startChild starts a process and waits until it says who it is.
func startChild(program string, boot *control.Boot) (*child, error) {
	c := &child{command: exec.Command(program, "node", boot.Name), stderr: &tail{}}
	// A node that waits for the network most of the time runs with the least overhead on one thread.
	c.command.Env = append(os.Environ(), childVariable+"=1", "GOMAXPROCS=1")
	c.command.Stderr = c.stderr
	separate(c.command)
	input, err := c.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start a process: %w", err)
	}
	c.Conn = control.New(output, input, input)
	err = c.Send(control.ToNode{Boot: boot})
	if err == nil {
		c.hello, err = receiveHello(c.Conn, func() { _ = c.Kill() })
	}
	if err == nil && c.hello.Name != boot.Name {
		err = fmt.Errorf("the process says that it is %s", c.hello.Name)
	}
	if err != nil {
		_ = c.Kill()
		_, _ = c.Wait()
		if said := c.stderr.last(); said != "" {
			err = errors.New(said)
		}
		return nil, err
	}
	return c, nil
}

// receiveHello receives the first message of a process. It calls giveUp, which must end the
// connection, if none comes.
func receiveHello(conn *control.Conn, giveUp func()) (control.Hello, error) {
	timer := time.AfterFunc(helloTimeout, giveUp)
	defer timer.Stop()
	var m control.FromNode
	if err := conn.Receive(&m); err != nil {
		return control.Hello{}, fmt.Errorf("it does not answer: %w", err)
	}
	if m.Hello == nil {
		return control.Hello{}, errors.New("it answers with something else than a hello")
	}
	return *m.Hello, control.CheckProtocol("the node's process", m.Hello.Protocol)
}

// Hello is what the process has said about itself.
func (c *child) Hello() control.Hello { return c.hello }

// Send sends a message.
func (c *child) Send(m control.ToNode) error { return c.Conn.Send(&m) }

// Receive receives a message.
func (c *child) Receive(m *control.FromNode) error { return c.Conn.Receive(m) }

// Pause sends SIGSTOP.
func (c *child) Pause() error { return stop(c.command.Process) }

// Resume sends SIGCONT.
func (c *child) Resume() error { return resume(c.command.Process) }

// Kill sends SIGKILL.
func (c *child) Kill() error {
	if err := c.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Leave is Kill: nobody else could end it.
func (c *child) Leave() error { return c.Kill() }

// Wait waits for the end of the process. Who is killed has died, and who ends by itself crashed.
func (c *child) Wait() (trace.ProcessState, string) {
	_ = c.Kill() // it has closed its output: it cannot be driven any more
	_ = c.Close()
	err := c.command.Wait()
	var exit *exec.ExitError
	switch said := c.stderr.last(); {
	case said != "":
		return trace.Crashed, said
	case errors.As(err, &exit) && !exit.Exited():
		return trace.Killed, ""
	case err != nil:
		return trace.Crashed, err.Error()
	}
	return trace.Crashed, "its process has ended"
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailMax is how many bytes a tail keeps.
const tailMax = 4 << 10

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if excess := len(t.text) - tailMax; excess > 0 {
		t.text = bytes.Clone(t.text[excess:])
	}
	return len(b), nil
}

var _ io.Writer = (*tail)(nil)

// last returns what a process that ended in one line said: the line of a panic, or else the last one.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "capsize: ")
}
