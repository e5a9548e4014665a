package processes_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/processes"
	"capsize/cluster/machines"
	"capsize/cluster/trace"
)

// nodeVariable holds, in the environment of a node that runs by itself, its configuration.
const nodeVariable = "CAPSIZE_TEST_NODE"

func runNode(text string) error {
	var cfg machines.NodeConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return err
	}
	return machines.RunNode(context.Background(), cfg, func(net.Addr, net.Addr) { fmt.Println("ready") })
}

// alone are nodes that run by themselves, with their control ports.
type alone struct {
	nodes   []machines.NodeConfig
	running []*exec.Cmd
}

// startAlone starts three nodes, and ends them with the test.
func startAlone(t *testing.T, files machines.TLSFiles, proxy string) *alone {
	t.Helper()
	a := &alone{running: make([]*exec.Cmd, 3)}
	var peers []machines.Peer
	for i := range 3 {
		peers = append(peers, machines.Peer{Name: fmt.Sprintf("n%d", i+1), Address: freeAddress(t)})
	}
	settings := cluster.DefaultSettings()
	settings.Heartbeat, settings.Election, settings.Lease = 300*time.Millisecond, 300*time.Millisecond, 150*time.Millisecond
	dir := t.TempDir()
	for i, p := range peers {
		a.nodes = append(a.nodes, machines.NodeConfig{
			Name: p.Name, Dir: dir, Listen: p.Address, Control: freeAddress(t), Peers: peers, TLS: files, Settings: settings, Proxy: proxy,
		})
		a.start(t, i)
	}
	t.Cleanup(func() {
		for i := range a.nodes {
			a.kill(t, i)
		}
	})
	return a
}

// start starts a node and waits until it listens.
func (a *alone) start(t *testing.T, i int) {
	t.Helper()
	text, err := json.Marshal(a.nodes[i])
	if err != nil {
		t.Fatal(err)
	}
	a.running[i] = exec.Command(os.Args[0])
	a.running[i].Env = append(os.Environ(), nodeVariable+"="+string(text))
	a.running[i].Stderr = os.Stderr
	out, err := a.running[i].StdoutPipe()
	if err == nil {
		err = a.running[i].Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("%s does not come up: %v", a.nodes[i].Name, err)
	}
}

// kill kills a node.
func (a *alone) kill(t *testing.T, i int) {
	t.Helper()
	if a.running[i] != nil {
		_ = a.running[i].Process.Kill()
		_ = a.running[i].Wait() // it was killed
		a.running[i] = nil
	}
}

// config is how to attach to the nodes.
func (a *alone) config() (cfg machines.AttachConfig) {
	for _, n := range a.nodes {
		cfg.Addresses = append(cfg.Addresses, n.Control)
		cfg.TLS, cfg.Proxy = n.TLS, n.Proxy
	}
	return cfg
}

// freeAddress returns an address on this host at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// attach opens an engine over nodes that run, which ends with the test.
func attach(t *testing.T, a *alone) engine.Engine {
	t.Helper()
	opener, cfg, err := processes.Attach(a.config())
	if err != nil {
		t.Fatal(err)
	}
	cfg.HistoryBudget = 16 << 20
	e, err := opener(cfg, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// secondBecomes waits until the process of n2 is in a state.
func secondBecomes(t *testing.T, e engine.Engine, want trace.ProcessState) {
	t.Helper()
	for range hung / (10 * time.Millisecond) {
		if s := stateOf(e); s.Node("n2") != nil && s.Node("n2").Process == want {
			return
		}
		if err := e.Advance(10 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("n2 does not become %s", want)
}

func stateOf(e engine.Engine) (s trace.State) {
	e.CopyTo(&s)
	return s
}

func TestAttachDrivesNodesThatRunAlready(t *testing.T) {
	files := certificates(t)
	a := startAlone(t, files, "")
	e := attach(t, a)
	increment := func(want int64) {
		t.Helper()
		if answer := engine.Do(e, engine.Order{Line: "increment"}); answer.End.Err != nil || answer.End.Op.Value != want {
			t.Fatalf("increment: %+v", answer.End)
		}
	}
	if !engine.AwaitLeader(e, engine.FirstElection) {
		t.Fatal("no leader")
	}
	increment(1)
	if _, _, err := processes.Attach(a.config()); err == nil || !strings.Contains(err.Error(), "another capsize drives this node") {
		t.Errorf("a second driver gets %v", err)
	}
	for address, want := range map[string]string{"nonsense": "write HOST:PORT", a.nodes[0].Control: "name each node once"} {
		cfg := a.config()
		cfg.Addresses = []string{address, address}
		if _, _, err := processes.Attach(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", address, err, want)
		}
	}
	a.kill(t, 1)
	secondBecomes(t, e, trace.Unreachable)
	if answer := engine.Do(e, engine.Order{Line: "expect checks ok"}); answer.End.Err == nil { // it waits for all verdicts
		t.Error("the checks hold without n2's events")
	}
	for _, c := range stateOf(e).Checks {
		if c.Verdict != trace.VerdictUndecided {
			t.Errorf("%s is %s although n2's events are missing", c.Name, c.Verdict)
		}
	}
	increment(2)
	a.start(t, 1)
	secondBecomes(t, e, trace.Up)
	if answer := engine.Do(e, engine.Order{Line: "wait converged"}); answer.End.Err != nil {
		t.Error(answer.End.Err)
	}
	for _, line := range []string{"wipe n1", "poweroff n1", "recover n1", "pause n1", "isolate n1", "cut n1 -> n2", "add-node", "remove-node n3"} {
		if answer := engine.Do(e, engine.Order{Line: line}); answer.End.Err == nil {
			t.Errorf("%s is accepted", line)
		}
	}
	for verb, want := range map[string]bool{"kill": true, "disk": true, "wipe": false, "pause": false, "isolate": false, "cut": false} {
		if e.Prompt().Knows(verb) != want {
			t.Errorf("%s is offered: %t", verb, !want)
		}
	}
	if answer := engine.Do(e, engine.Order{Line: "kill n3"}); answer.End.Err != nil {
		t.Error(answer.End.Err)
	}
	if err := a.running[2].Wait(); err == nil {
		t.Error("n3 still runs")
	}
	increment(3)
}

// A node that does not answer keeps nobody from driving the others, as long as it is clear which one
// it is.
func TestAttachFindsANodeDown(t *testing.T) {
	a := startAlone(t, machines.TLSFiles{}, "")
	a.kill(t, 1)
	e := attach(t, a)
	secondBecomes(t, e, trace.Unreachable)
	for _, line := range []string{"wait leader", "increment"} {
		if answer := engine.Do(e, engine.Order{Line: line}); answer.End.Err != nil {
			t.Errorf("%s: %v", line, answer.End.Err)
		}
	}
	if answer := engine.Do(e, engine.Order{Line: "restart n2"}); answer.End.Err == nil || !strings.Contains(answer.End.Err.Error(), "until it answers again") {
		t.Errorf("restart gave %v", answer.End.Err)
	}
	a.start(t, 1)
	secondBecomes(t, e, trace.Up)
	if answer := engine.Do(e, engine.Order{Line: "wait converged"}); answer.End.Err != nil {
		t.Error(answer.End.Err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	a.kill(t, 1)
	mute, err := net.Listen("tcp", a.nodes[1].Control) // as a node that is stopped
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	e = attach(t, a)
	secondBecomes(t, e, trace.Unreachable)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	a.kill(t, 2)
	if _, _, err := processes.Attach(a.config()); err == nil || !strings.Contains(err.Error(), "which node that is cannot be told") {
		t.Errorf("two silent nodes of one host gave %v", err)
	}
}

// Leaving nodes lets them run, and another capsize finds them as they are.
func TestLeavingLetsNodesRun(t *testing.T) {
	a := startAlone(t, machines.TLSFiles{}, "")
	e := attach(t, a)
	engine.AwaitLeader(e, engine.FirstElection)
	if answer := engine.Do(e, engine.Order{Line: "increment 5"}); answer.End.Err != nil {
		t.Fatal(answer.End.Err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range stateOf(e).Nodes {
		if n.Process != trace.Up {
			t.Errorf("%s is %s because capsize has left it (%s)", n.ID, n.Process, n.Why)
		}
	}
	e = attach(t, a)
	if s := stateOf(e); s.LeaderNode() == nil || s.LeaderNode().Value != 5 || s.LeaderNode().Commit == 0 {
		t.Errorf("it shows leader %+v", s.LeaderNode())
	}
	if answer := engine.Do(e, engine.Order{Line: "increment"}); answer.End.Err != nil || answer.End.Op.Value != 6 {
		t.Errorf("increment: %+v", answer.End)
	}
	for _, line := range []string{"snapshot all", "increment 2", "wait converged", "expect checks ok"} {
		if answer := engine.Do(e, engine.Order{Line: line}); answer.End.Err != nil {
			t.Errorf("%s: %v", line, answer.End.Err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = attach(t, a)
	for _, line := range []string{"increment", "wait converged", "expect value 9 on all", "expect checks ok"} {
		if answer := engine.Do(e, engine.Order{Line: line}); answer.End.Err != nil {
			t.Errorf("over snapshots, %s: %v", line, answer.End.Err)
		}
	}
}

// Nodes that were started with the proxy's address reach each other through it, also with TLS: then
// their links can be broken, and packets are seen.
func TestAttachedLinksBreakThroughTheProxy(t *testing.T) {
	a := startAlone(t, certificates(t), freeAddress(t))
	e := attach(t, a)
	for _, line := range []string{
		"wait leader", "increment", "wait converged", "isolate leader", "wait no leader", "heal", "wait leader", "increment", "wait converged", "expect value 2 on all",
	} {
		if answer := engine.Do(e, engine.Order{Line: line}); answer.End.Err != nil {
			t.Fatalf("%s: %v", line, answer.End.Err)
		}
	}
	if answer := engine.Do(e, engine.Order{Line: "lose n1 -> n2 10%"}); answer.End.Err == nil {
		t.Error("TCP loses messages")
	}
	if p := e.Prompt(); !p.Knows("isolate") || !p.Knows("cut") || p.Knows("poweroff") {
		t.Error("it offers the wrong commands")
	}
	if s := stateOf(e); !slices.ContainsFunc(s.Checks, func(c trace.Check) bool { return c.Verdict == trace.VerdictOK }) {
		t.Errorf("no check is ok: %+v", s.Checks)
	}
}

func TestForeignCertificateIsRefused(t *testing.T) {
	files := certificates(t)
	a := startAlone(t, files, "")
	foreign := certificates(t)
	foreign.CA = files.CA
	for name, other := range map[string]machines.TLSFiles{"another authority": foreign, "no certificate": {}} {
		cfg := a.config()
		cfg.TLS = other
		if _, _, err := processes.Attach(cfg); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// certificates writes the files of a new authority and of one certificate for this host.
func certificates(t *testing.T) machines.TLSFiles {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "capsize"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	node := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "node"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.CreateCertificate(rand.Reader, node, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return machines.TLSFiles{
		Cert: write("cert.pem", "CERTIFICATE", leaf), Key: write("key.pem", "PRIVATE KEY", private), CA: write("ca.pem", "CERTIFICATE", root),
	}
}
