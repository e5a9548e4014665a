package machines

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"capsize/cluster/control"
	"capsize/cluster/trace"
)

// behaviour holds, in the environment of a child, how it misbehaves.
const behaviour = "CAPSIZE_TEST_CHILD"

func TestMain(m *testing.M) {
	if IsChild() {
		misbehave(os.Getenv(behaviour))
	}
	os.Exit(m.Run())
}

// misbehave is the main program of a child that does not do what a node does.
func misbehave(how string) {
	driver := control.New(os.Stdin, os.Stdout, os.Stdin)
	hello := control.Hello{Protocol: control.Protocol, Name: "n1"}
	switch how {
	case "dies":
		fmt.Fprintln(os.Stderr, "capsize: cannot read my own mind")
		os.Exit(3)
	case "panics":
		panic("out of mind")
	case "answers nonsense":
		fmt.Println("Usage: something else")
		os.Exit(0)
	case "is of another version":
		hello.Protocol++
	case "takes itself for another":
		hello.Name = "n7"
	}
	_ = driver.Send(&control.FromNode{Hello: &hello})
	_ = driver.Flush()
	var m control.ToNode
	for driver.Receive(&m) == nil { // until the program that started it ends
		m = control.ToNode{}
	}
	os.Exit(0)
}

func TestChildThatDoesNotComeUpSaysWhy(t *testing.T) {
	for how, want := range map[string]string{
		"dies":                     "cannot read my own mind",
		"panics":                   "panic: out of mind",
		"answers nonsense":         "it does not answer: ",
		"is of another version":    "speaks version 2 of the control protocol, this capsize version 1: use the same capsize for both",
		"takes itself for another": "the process says that it is n7",
	} {
		t.Setenv(behaviour, how)
		c, err := startChild(os.Args[0], &control.Boot{Name: "n1"})
		if err == nil {
			t.Errorf("a child that %s comes up as %+v", how, c.Hello())
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("a child that %s gives %q, want %q in one line", how, err, want)
		}
	}
}

func TestChildOfNoProgramSaysWhy(t *testing.T) {
	if _, err := startChild("/nowhere/capsize", &control.Boot{Name: "n1"}); err == nil || !strings.Contains(err.Error(), "cannot start a process") {
		t.Errorf("got %v", err)
	}
}

// How a process has ended decides the state of its node: killed, or crashed with what it said last.
func TestEndOfAChild(t *testing.T) {
	t.Setenv(behaviour, "obeys")
	c, err := startChild(os.Args[0], &control.Boot{Name: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	var m control.FromNode
	if err := c.Receive(&m); err == nil {
		t.Fatalf("received %+v after its death", m)
	}
	if state, why := c.Wait(); state != trace.Killed || why != "" {
		t.Errorf("a killed child is %s: %s", state, why)
	}
	if err := c.Kill(); err != nil {
		t.Errorf("killing it again: %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var s tail
	for i := range 1000 {
		_, _ = fmt.Fprintf(&s, "line %d\n", i)
	}
	if got := s.last(); got != "line 999" || len(s.text) > tailMax {
		t.Errorf("%q, %d bytes", got, len(s.text))
	}
}

func TestPeersAreParsed(t *testing.T) {
	peers, err := ParsePeers("n1=10.0.0.1:7000, n2=host:7000")
	if err != nil || len(peers) != 2 || peers[1] != (Peer{"n2", "host:7000"}) {
		t.Errorf("got %v, %v", peers, err)
	}
	for _, bad := range []string{"", "n1", "n1=host", "n1=a:1,n1=b:2", "leader=a:1", "a b=c:1"} {
		if _, err := ParsePeers(bad); err == nil || !strings.HasPrefix(err.Error(), "--peers") {
			t.Errorf("%q gives %v", bad, err)
		}
	}
}

func TestAddressBeyondThisHostNeedsTLS(t *testing.T) {
	for address, loop := range map[string]bool{
		"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, "0.0.0.0:1": false, ":1": false, "10.0.0.1:1": false, "nonsense": false,
	} {
		if isLoopback(address) != loop {
			t.Errorf("%s is on this host only: %t", address, !loop)
		}
	}
	if _, err := listen("--listen", "0.0.0.0:0", nil); err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("got %v", err)
	}
	if _, err := (TLSFiles{Cert: "a"}).load(); err == nil || !strings.Contains(err.Error(), "all three") {
		t.Errorf("got %v", err)
	}
}
