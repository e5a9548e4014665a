//go:build unix

package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"go.uber.org/goleak"

	"capsize/cluster/trace"
	"capsize/ui/keymap"
)

// panicsIn tells this test binary, started as a child, where its screen panics.
const panicsIn = "CAPSIZE_TEST_PANICS_IN"

// capsizeBinary is the program under test, built once when a test needs it.
var capsizeBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "capsize-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "capsize")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "capsize").CombinedOutput()
	if err != nil {
		return path, fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if where := os.Getenv(panicsIn); where != "" {
		os.Exit(runAndPanic(where))
	}
	if program := os.Getenv(shellRuns); program != "" {
		os.Exit(actAsShell(program, os.Args[1:]))
	}
	forget, err := ordinaryEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	forget()
	if path, err := capsizeBinary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// ordinaryEnvironment makes pictures independent of the environment and the
// configuration of whoever runs the tests.
func ordinaryEnvironment() (forget func(), err error) {
	dir, err := os.MkdirTemp("", "capsize-config-")
	if err != nil {
		return nil, err
	}
	err = os.WriteFile(filepath.Join(dir, "welcomed"), nil, 0o600)
	for name, value := range map[string]string{"CAPSIZE_CONFIG": dir, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "NO_COLOR": ""} {
		err = errors.Join(err, os.Setenv(name, value))
	}
	return func() { _ = os.RemoveAll(dir) }, err
}

// runAndPanic runs the screen with one more key, which panics.
func runAndPanic(where string) int {
	e, err := openInMemory(3)
	if err != nil {
		return 3
	}
	m := newModel(e, Options{Speed: 1})
	m.keys = append(m.keys, keymap.Bind(groupScreen, "!", "panic", func() {
		switch where {
		case "update":
			panic("in update")
		case "view":
			m.theme = nil
		case "raft":
			// The next event comes from a goroutine of raft's.
			m.Engine.Subscribe(func(trace.Event) { panic("in raft") })
		case "bubble":
			go func() { _ = e.Do(func() { panic("in the bubble") }) }()
		}
	}, "!"))
	if err := errors.Join(run(context.Background(), m), e.Close()); err != nil {
		fmt.Fprintf(os.Stderr, "capsize: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}

// patience is how long a test waits, in real time, before it fails.
const patience = time.Minute

// ptyTerminal is a terminal with a program in it: the kernel's half is a pty, the
// other half an emulator that shows what a person would see.
type ptyTerminal struct {
	t             *testing.T
	master, slave *os.File
	before        *term.State // how the line was set before the program started
	cmd           *exec.Cmd
	temporary     string        // the program's directory for temporary files
	ended         chan struct{} // closed when the program has
	changed       chan struct{} // something was written
	line          line          // how fast the output is read

	mu     sync.Mutex
	screen *vt.Emulator
	output bytes.Buffer
	modes  map[ansi.Mode]bool // those that were touched, and how they are now
}

// open starts a program in a terminal of w by h cells. The program gets a
// session of its own, as from a shell.
func open(t *testing.T, w, h int, cmd *exec.Cmd) *ptyTerminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	x := &ptyTerminal{
		t: t, master: master, slave: slave, cmd: cmd, temporary: t.TempDir(),
		ended: make(chan struct{}), changed: make(chan struct{}, 1),
		screen: vt.NewEmulator(w, h), modes: map[ansi.Mode]bool{},
	}
	x.screen.SetCallbacks(vt.Callbacks{
		EnableMode:  func(mode ansi.Mode) { x.modes[mode] = true },
		DisableMode: func(mode ansi.Mode) { x.modes[mode] = false },
	})
	if x.before, err = term.GetState(slave.Fd()); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		t.Fatal(err)
	}
	go x.show()
	go func() { _, _ = io.Copy(master, x.screen) }() // its answers to questions
	x.print("from before")

	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	environment := append(os.Environ(), "TERM=xterm-256color", "NO_COLOR=", "COLORTERM=", "TMPDIR="+x.temporary)
	cmd.Env = append(environment, cmd.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(x.ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-x.ended
		_ = slave.Close()
		_ = master.Close()
		if pipe, ok := x.screen.InputPipe().(io.Closer); ok {
			_ = pipe.Close()
		}
	})
	return x
}

// start starts the real program.
func start(t *testing.T, w, h int, args ...string) *ptyTerminal {
	t.Helper()
	path, err := capsizeBinary()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, w, h, exec.Command(path, args...))
}

// show feeds the output of the pty to the emulator.
func (x *ptyTerminal) show() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := x.master.Read(x.line.next(buffer))
		x.mu.Lock()
		x.output.Write(buffer[:n])
		_, _ = x.screen.Write(buffer[:n])
		x.mu.Unlock()
		select {
		case x.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// text is what the screen shows, without the blanks at the ends of lines.
func (x *ptyTerminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	lines := strings.Split(x.screen.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// see waits until the screen shows something.
func (x *ptyTerminal) see(what string, shown func(text string) bool) {
	x.t.Helper()
	late := time.After(patience)
	for !shown(x.text()) {
		select {
		case <-x.changed:
		case <-late:
			x.t.Fatalf("the screen never shows %s:\n%s", what, x.text())
		}
	}
}

func (x *ptyTerminal) seeText(text string) {
	x.t.Helper()
	x.see(text, func(shown string) bool { return strings.Contains(shown, text) })
}

var leads = regexp.MustCompile(`leader n\d`)

// seeLeader waits for the first picture, which has a leader.
func (x *ptyTerminal) seeLeader() {
	x.t.Helper()
	x.see("a leader", leads.MatchString)
}

// press types keys.
func (x *ptyTerminal) press(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.master, keys); err != nil {
		x.t.Fatal(err)
	}
}

// print writes a line as a shell would, and waits until it appears: by then everything
// written before it has appeared too.
func (x *ptyTerminal) print(line string) {
	x.t.Helper()
	if _, err := io.WriteString(x.slave, line+"\n"); err != nil {
		x.t.Fatal(err)
	}
	x.seeText(line)
}

func (x *ptyTerminal) resize(w, h int) {
	x.t.Helper()
	x.mu.Lock()
	x.screen.Resize(w, h)
	x.mu.Unlock()
	if err := pty.Setsize(x.master, &pty.Winsize{Rows: uint16(h), Cols: uint16(w)}); err != nil {
		x.t.Fatal(err)
	}
}

// end waits until the program has ended, and returns its exit status.
func (x *ptyTerminal) end() int {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(patience):
		x.t.Fatalf("it does not end:\n%s", x.text())
	}
	return x.cmd.ProcessState.ExitCode()
}

// The extended keyboard protocol, which the emulator does not know.
var (
	keyboardPush    = regexp.MustCompile(`\x1b\[>\d*u`)
	keyboardPop     = regexp.MustCompile(`\x1b\[<\d*u`)
	modifyOtherKeys = regexp.MustCompile(`\x1b\[>4(;\d+)?m`)
)

// checkAsBefore checks that the program that ended left the terminal as it was.
func (x *ptyTerminal) checkAsBefore() {
	x.t.Helper()
	after, err := term.GetState(x.slave.Fd())
	if err != nil {
		x.t.Fatal(err)
	}
	if !reflect.DeepEqual(after, x.before) {
		x.t.Errorf("the line is set to %+v, it was %+v", after, x.before)
	}
	const prompt = "the shell is back"
	x.print(prompt)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.screen.IsAltScreen() {
		x.t.Error("the alternate screen is still on")
	}
	for mode, on := range x.modes {
		// All others, like those of the mouse and of bracketed paste, are off at first.
		onAtFirst := mode == ansi.ModeTextCursorEnable || mode == ansi.ModeAutoWrap
		if on != onAtFirst {
			x.t.Errorf("mode %d is left at %t", mode.Mode(), on)
		}
	}
	output := x.output.Bytes()
	if pushed, popped := len(keyboardPush.FindAll(output, -1)), len(keyboardPop.FindAll(output, -1)); pushed != popped {
		x.t.Errorf("the extended keyboard was asked for %d times, and given back %d times", pushed, popped)
	}
	if all := modifyOtherKeys.FindAll(output, -1); len(all) > 0 && string(all[len(all)-1]) != "\x1b[>4m" {
		x.t.Errorf("modified keys are left at %q", all[len(all)-1])
	}
	for y, line := range strings.Split(x.screen.String(), "\n") {
		if cell := x.screen.CellAt(strings.Index(line, prompt), y); strings.Contains(line, prompt) && !cell.Style.IsZero() {
			x.t.Errorf("what the shell writes looks like %+v", cell.Style)
		}
	}
}

var showsFive = regexp.MustCompile(`(follower|leader)\s+5\s`)

func TestFiveIncrementsShowOnEveryNode(t *testing.T) {
	x := start(t, 120, 36)
	x.seeLeader()
	for i := 1; i <= 5; i++ {
		x.press("i")
		x.seeText(fmt.Sprintf("✓ %d (n", i))
	}
	x.see("5 on five nodes", func(text string) bool { return len(showsFive.FindAllString(text, -1)) == 5 })
	x.press("q")
	if status := x.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	x.checkAsBefore()
	x.checkNothingLeft()
}

func TestTerminalIsRestored(t *testing.T) {
	signal := func(s os.Signal) func(*ptyTerminal) error {
		return func(x *ptyTerminal) error { return x.cmd.Process.Signal(s) }
	}
	for name, quit := range map[string]func(*ptyTerminal) error{
		"q":       func(x *ptyTerminal) error { x.press("q"); return nil },
		"ctrl+c":  func(x *ptyTerminal) error { x.press("\x03"); return nil },
		"SIGINT":  signal(os.Interrupt),
		"SIGTERM": signal(syscall.SIGTERM),
		"SIGHUP":  signal(syscall.SIGHUP),
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t, 120, 36)
			x.seeLeader()
			x.mu.Lock()
			if !x.screen.IsAltScreen() || x.modes[ansi.ModeTextCursorEnable] || !x.modes[ansi.ModeMouseButtonEvent] || !x.modes[ansi.ModeBracketedPaste] {
				t.Errorf("there is too little to be put back, modes %v: this test sees nothing", x.modes)
			}
			x.mu.Unlock()
			if err := quit(x); err != nil {
				t.Fatal(err)
			}
			if status := x.end(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			x.checkAsBefore()
			x.checkNothingLeft()
			x.seeText("from before")
		})
	}
}

func TestPanicRestoresTheTerminal(t *testing.T) {
	for where, why := range map[string]string{
		"update": "panic",
		"view":   "panic",
		"raft":   "panic in virtual time: in raft",
		"bubble": "panic in virtual time: in the bubble",
	} {
		t.Run(where, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = []string{panicsIn + "=" + where}
			x := open(t, 120, 36, cmd)
			x.seeLeader()
			x.press("!")
			if status := x.end(); status != 1 {
				t.Errorf("exit status %d, wanted 1", status)
			}
			x.checkAsBefore()
			x.mu.Lock()
			defer x.mu.Unlock()
			message := regexp.MustCompile(`capsize: .*`).FindString(x.output.String())
			if !strings.Contains(message, why) {
				t.Errorf("it says %q, which does not say %q", message, why)
			}
		})
	}
}

func TestClosedTerminalEndsTheProgram(t *testing.T) {
	x := start(t, 80, 24)
	x.seeLeader()
	if err := x.master.Close(); err != nil {
		t.Fatal(err)
	}
	x.end()
	x.checkNothingLeft()
}

func TestTinyTerminalSaysWhatItNeeds(t *testing.T) {
	x := start(t, 20, 5, "--storage", "memory")
	says := func(want string) {
		t.Helper()
		x.see(want, func(text string) bool { return strings.Join(strings.Fields(text), " ") == want })
	}
	says("have 20x5, need 60x18")
	x.resize(120, 36)
	x.seeLeader()
	x.resize(59, 17)
	says("have 59x17, need 60x18")
	x.resize(80, 24)
	x.seeLeader()
	x.press("q")
	x.end()
	x.checkAsBefore()
}
