package machines

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

const (
	// dialTimeout is how long a node may take to answer.
	dialTimeout = 3 * time.Second
	// pingEvery is how often a node and its driver say that they are there, and silenceMax how long
	// they may say nothing.
	pingEvery  = time.Second
	silenceMax = 4 * time.Second
)

// AttachConfig says which nodes to drive, and how.
type AttachConfig struct {
	Addresses []string // of their control ports
	TLS       TLSFiles
	// Proxy is where the proxy between the nodes listens, for those that were started with its
	// address; "" for no proxy.
	Proxy string
}

// Attached are nodes that run already, started by anyone, here or on other hosts.
type Attached struct {
	cfg      AttachConfig
	tls      *tls.Config
	settings trace.Settings
	names    []string
	direct   []string          // the nodes that were started without a proxy
	peers    map[string]string // where the proxy reaches the nodes

	mu    sync.Mutex
	at    map[string]string   // by node: the address of its control port
	ready map[string]*distant // by node: the first connection, until it is used
}

var _ cluster.Machines = (*Attached)(nil)

// Attach connects to the control ports of nodes. Some of them may be silent: those nodes are there, and
// out of reach. The error says which address is wrong, and why.
func Attach(cfg AttachConfig) (*Attached, error) {
	for i, address := range cfg.Addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return nil, fmt.Errorf("%s: write HOST:PORT, the control address of a node", address)
		}
		if slices.Contains(cfg.Addresses[:i], address) {
			return nil, fmt.Errorf("%s: name each node once", address)
		}
	}
	conf, err := cfg.TLS.load()
	if err != nil {
		return nil, err
	}
	a := &Attached{cfg: cfg, tls: conf, at: map[string]string{}, ready: map[string]*distant{}}
	if err := a.connectAll(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	slices.SortFunc(a.names, trace.CompareNames)
	return a, nil
}

// connectAll connects to all nodes, and finds out which ones are silent.
func (a *Attached) connectAll() error {
	var silent []string
	var why error // the first of them is silent
	peers := map[string]string{}
	for _, address := range a.cfg.Addresses {
		d, err := a.connect(address)
		var down *silentError
		if errors.As(err, &down) {
			if silent = append(silent, address); why == nil {
				why = fmt.Errorf("%s: %w", address, err)
			}
			continue
		} else if err != nil {
			return fmt.Errorf("%s: %w", address, err)
		}
		name := d.hello.Name
		if other, ok := a.at[name]; ok {
			return errors.Join(fmt.Errorf("%s and %s are both %s: name each node once", other, address, name), d.Close())
		}
		a.names, a.at[name], a.ready[name], a.settings = append(a.names, name), address, d, d.hello.Settings
		maps.Copy(peers, d.hello.Peers)
		if d.hello.Proxy == "" {
			a.direct = append(a.direct, name)
		} else {
			a.peers = d.hello.Peers
		}
	}
	if len(a.names) == 0 {
		return why
	}
	return a.nameSilent(silent, peers)
}

// silentError is why nothing at all answers at an address: no node runs there, it is stopped, or its
// host is gone.
type silentError struct{ why error }

func (e *silentError) Error() string { return fmt.Sprintf("does not answer: %v", e.why) }

// silence returns a failure to connect as a silentError, if it is one. A host without an address is a
// mistake.
func silence(err error) error {
	var late net.Error
	var failed *net.OpError
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unknown):
	case errors.As(err, &failed) && failed.Op == "dial":
		return &silentError{failed.Err}
	case errors.As(err, &late) && late.Timeout():
		return &silentError{fmt.Errorf("nothing comes within %s", dialTimeout)}
	}
	return fmt.Errorf("does not answer as the control port of a node: %w", hint(err))
}

// nameSilent finds out which nodes have the silent addresses: of the peers of the others, the one that
// is missing, or the only missing one on the same host.
func (a *Attached) nameSilent(silent []string, peers map[string]string) error {
	for _, name := range a.names {
		delete(peers, name)
	}
	for _, address := range silent {
		host, _, _ := net.SplitHostPort(address)
		missing := slices.Collect(maps.Keys(peers))
		if len(missing) > 1 {
			missing = slices.DeleteFunc(missing, func(name string) bool {
				at, _, _ := net.SplitHostPort(peers[name])
				return at != host
			})
		}
		if len(missing) != 1 {
			return fmt.Errorf("%s does not answer, and which node that is cannot be told: start it, or leave the address out", address)
		}
		delete(peers, missing[0])
		a.names, a.at[missing[0]] = append(a.names, missing[0]), address
	}
	return nil
}

// Settings returns the settings of the nodes.
func (a *Attached) Settings() trace.Settings { return a.settings }

// Names returns the nodes.
func (a *Attached) Names() []string { return slices.Clone(a.names) }

// Own is false.
func (a *Attached) Own() bool { return false }

// Refuse returns why a fault is not possible. Nodes that reach each other directly have no links that
// capsize could break.
func (a *Attached) Refuse(f faults.LinkFault) error {
	switch {
	case a.cfg.Proxy == "":
		return fmt.Errorf("%s is not possible: attach has no --proxy, so the nodes reach each other directly", f.Name())
	case len(a.direct) > 0:
		return fmt.Errorf("%s is not possible: %s reach the others directly; start all nodes with --proxy", f.Name(), strings.Join(a.direct, ", "))
	}
	return tcp.Possible(f)
}

// Connect starts the proxy between the nodes. Without one, no packet is seen.
func (a *Attached) Connect(s trace.Settings, tap func(faults.Packet, uint64) uint64) (cluster.Network, error) {
	if a.cfg.Proxy == "" {
		return directNetwork{}, nil
	}
	listener, err := listen("--proxy", a.cfg.Proxy, a.tls)
	if err != nil {
		return nil, err
	}
	return tcp.NewProxy(tcp.ProxyConfig{
		Listener: listener, Seed: s.Seed, Tap: tap, // the network between the hosts has a latency of its own
		Reach: func(to raft.ServerAddress) (net.Conn, error) {
			address, ok := a.peers[string(to)]
			if !ok {
				return nil, fmt.Errorf("no node has an address for %s in its --peers", to)
			}
			return dial(address, a.tls, dialTimeout)
		},
	}), nil
}

// Start connects to a node.
func (a *Attached) Start(boot control.Boot) (cluster.Machine, error) {
	a.mu.Lock()
	d, address := a.ready[boot.Name], a.at[boot.Name]
	delete(a.ready, boot.Name)
	a.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := a.connect(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w: start it there", address, err)
	case d.hello.Name != boot.Name:
		return nil, errors.Join(fmt.Errorf("%s is now %s", address, d.hello.Name), d.Close())
	}
	return d, nil
}

// Close closes the connections that were not used.
func (a *Attached) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range a.ready {
		_ = d.Close()
	}
	clear(a.ready)
	return nil
}

// connect connects to a control port.
func (a *Attached) connect(address string) (*distant, error) {
	c, err := dial(address, a.tls, dialTimeout)
	if err != nil {
		return nil, silence(err)
	}
	d := &distant{Conn: control.New(c, c, c), c: c}
	_ = c.SetDeadline(time.Now().Add(dialTimeout))
	var m control.FromNode
	err = errors.Join(d.Conn.Send(&control.ToNode{Drive: &control.Drive{Protocol: control.Protocol}}), d.Flush())
	for err == nil && m.Hello == nil && m.Ready == nil { // it may say that it is there while it decides
		m = control.FromNode{}
		err = d.Conn.Receive(&m)
	}
	switch {
	case err != nil:
		err = silence(err)
	case m.Ready != nil && m.Ready.Error != "":
		err = errors.New(m.Ready.Error)
	case m.Hello == nil:
		err = errors.New("answers, but not with a hello")
	default:
		err = control.CheckProtocol(m.Hello.Name, m.Hello.Protocol)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	_ = c.SetDeadline(time.Time{})
	d.hello = *m.Hello
	go keepSaying(d.Conn, &control.ToNode{})
	return d, nil
}

// keepSaying says every second that this end is there, until the connection is closed.
func keepSaying(conn *control.Conn, nothing any) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for range ping.C {
		if errors.Join(conn.Send(nothing), conn.Flush()) != nil {
			_ = conn.Close()
			return
		}
	}
}

// hint adds to an error of TLS what to look at.
func hint(err error) error {
	var alert tls.AlertError
	var unknown *tls.CertificateVerificationError
	if errors.As(err, &alert) || errors.As(err, &unknown) {
		return fmt.Errorf("%w: the authority in --tls-ca must have signed the certificates of both ends, and the node's must name this host", err)
	}
	return err
}

// distant is a node's process elsewhere.
type distant struct {
	*control.Conn
	c     net.Conn
	hello control.Hello
	why   error // why no more is received
}

// Hello is what the process has said about itself.
func (d *distant) Hello() control.Hello { return d.hello }

// Send sends a message.
func (d *distant) Send(m control.ToNode) error { return d.Conn.Send(&m) }

// Receive receives a message. A node that is silent for too long is out of reach.
func (d *distant) Receive(m *control.FromNode) error {
	_ = d.c.SetReadDeadline(time.Now().Add(silenceMax))
	d.why = d.Conn.Receive(m)
	return d.why
}

// errElsewhere is why a process cannot be stopped.
var errElsewhere = errors.New("it runs elsewhere, where nobody could continue it: stop and continue it there")

// Pause is not possible.
func (d *distant) Pause() error { return errElsewhere }

// Resume is not possible.
func (d *distant) Resume() error { return errElsewhere }

// Kill makes the process kill itself.
func (d *distant) Kill() error {
	err := d.Conn.Send(&control.ToNode{Request: &control.Request{Operation: control.Die}})
	return errors.Join(err, d.Flush())
}

// Leave closes the connection.
func (d *distant) Leave() error { return d.Close() }

// Wait returns that only the connection is known to have ended.
func (d *distant) Wait() (trace.ProcessState, string) {
	_ = d.Close()
	return trace.Unreachable, fmt.Sprintf("the connection to its control port has ended (%v)", d.why)
}

// directNetwork is a network on which capsize has no hand.
type directNetwork struct{}

func (directNetwork) SetFault(_, _ raft.ServerAddress, _ faults.LinkFault)     {}
func (directNetwork) ClearFault(_, _ raft.ServerAddress, _ string)             {}
func (directNetwork) Faults(_, _ raft.ServerAddress) (none []faults.LinkFault) { return none }
func (directNetwork) Cut([]faults.Link)                                        {}
func (directNetwork) Close()                                                   {}
