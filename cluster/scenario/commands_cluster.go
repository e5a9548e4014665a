package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/faults"
)

// setupCommands say what cluster to start. They stand before all others.
func setupCommands() []command {
	return []command{
		{name: "title", syntax: "title TEXT", help: "what the scenario is called", setup: func(r *reader, s *Script) error {
			s.Title = r.rest()
			return nil
		}},
		{name: "nodes", syntax: "nodes N", help: "how many nodes the cluster starts with, 1 to 99", setup: func(r *reader, s *Script) error {
			n, err := r.whole("how many nodes", 1, cluster.NodesMax)
			s.Nodes = int(n)
			return err
		}},
		{name: "seed", syntax: "seed N", help: "what all chance of capsize itself is drawn from", setup: func(r *reader, s *Script) (err error) {
			s.Settings.Seed, err = r.whole("a seed", -1<<62, 1<<62)
			return err
		}},
		{name: "storage", syntax: "storage bolt|memory", help: "where nodes keep their data", setup: func(r *reader, s *Script) (err error) {
			s.Settings.Storage, err = r.oneOf("a storage", cluster.Bolt, cluster.Memory)
			return err
		}},
		{name: "set", syntax: "set KEY VALUE", help: "change a setting: " + strings.Join(cluster.SettingKeys(), " "), setup: func(r *reader, s *Script) error {
			key, err := r.oneOf("a setting", cluster.SettingKeys()...)
			if err != nil {
				return err
			}
			value, err := r.take("the value of " + key)
			if err != nil {
				return err
			}
			if err := cluster.SetSetting(&s.Settings, key, value.text); err != nil {
				return r.fail(value, "%v", err)
			}
			return nil
		}},
	}
}

// clientCommands are what clients do.
func clientCommands() []command {
	return []command{
		asking("increment", "increment [N] [via ROUTE]", "a client adds one to the counter, N times", askIncrement),
		asking("add", "add DELTA [via ROUTE]", "a client adds DELTA to the counter", func(r *reader) (operation, error) {
			delta, err := r.whole("what to add", -1<<63, 1<<63-1)
			if err != nil {
				return nil, err
			}
			via, err := r.via()
			return adding(delta, 1, via), err
		}),
		asking("read", "read [LEVEL] [via ROUTE]", "a client reads the counter: none, weak, linearizable or strong", askRead),
		{name: "async", syntax: "async increment|add|read …", help: "do not wait for the outcome", parse: parseAsync},
		{name: "load", syntax: "load RATE/s [clients N] [via ROUTE] | load off", help: "clients keep incrementing, together RATE times a second", parse: parseLoad},
	}
}

// asking returns the command that has a client do something and waits for it.
func asking(name, syntax, help string, ask func(*reader) (operation, error)) command {
	return command{name: name, syntax: syntax, help: help, ask: ask, parse: func(r *reader) (action, error) {
		op, err := ask(r)
		return func(x *execution) error {
			do, err := op(x)
			if err == nil {
				do()
			}
			return err
		}, err
	}}
}

func askIncrement(r *reader) (operation, error) {
	times := int64(1)
	if r.more() && r.peek() != "via" {
		var err error
		if times, err = r.whole("how many times", 1, 100_000); err != nil {
			return nil, err
		}
	}
	via, err := r.via()
	return adding(1, int(times), via), err
}

func askRead(r *reader) (operation, error) {
	level := cluster.LevelLinearizable
	if r.more() && r.peek() != "via" {
		var err error
		if level, err = r.oneOf("a read level", cluster.Levels...); err != nil {
			return nil, err
		}
	}
	via, err := r.via()
	return func(x *execution) (func(), error) {
		to, err := via.resolve(x)
		return func() { x.end(x.c.Read(level, to)) }, err
	}, err
}

// adding adds to the counter, one time after the other.
func adding(delta int64, times int, via route) operation {
	return func(x *execution) (func(), error) {
		to, err := via.resolve(x)
		return func() {
			for i := 0; i < times && !x.c.Closed(); i++ {
				x.end(x.c.Add(delta, to))
			}
		}, err
	}
}

func parseAsync(r *reader) (action, error) {
	w, err := r.take("increment, add or read")
	if err != nil {
		return nil, err
	}
	c, ok := find(w.text)
	if !ok || c.ask == nil {
		return nil, r.fail(w, "%q cannot be asynchronous: increment, add and read can", w.text)
	}
	op, err := c.ask(r)
	return func(x *execution) error {
		do, err := op(x)
		if err == nil {
			x.c.Go(do)
		}
		return err
	}, err
}

func parseLoad(r *reader) (action, error) {
	if r.skip("off") {
		return func(x *execution) error { x.c.StopLoad(); return nil }, nil
	}
	w, err := r.take("a rate like 20/s, or off")
	if err != nil {
		return nil, err
	}
	number, perSecond := strings.CutSuffix(w.text, "/s")
	rate, err := strconv.ParseFloat(number, 64)
	if !perSecond || err != nil || !(rate >= 0.001 && rate <= 10_000) {
		return nil, r.fail(w, "%q is not a rate: 0.001/s to 10000/s, like 20/s", w.text)
	}
	clients := int64(3)
	if r.skip("clients") {
		if clients, err = r.whole("how many clients", 1, 256); err != nil {
			return nil, err
		}
	}
	via, err := r.via()
	return func(x *execution) error {
		to, err := via.resolve(x)
		if err != nil {
			return err
		}
		return x.c.Load(rate, int(clients), to)
	}, err
}

// each returns a command that does something to each of the nodes selected.
func each(name, help string, do func(*cluster.Inside, string) error) command {
	return command{name: name, syntax: name + " SEL", help: help, parse: func(r *reader) (action, error) {
		s, err := r.selector()
		return func(x *execution) error {
			return x.each(s, func(id string) error { return do(x.c, id) })
		}, err
	}}
}

// nodeCommands change the life of nodes.
func nodeCommands() []command {
	return []command{
		each("kill", "end the process; what it wrote survives in the page cache", (*cluster.Inside).Kill),
		each("poweroff", "cut the power; what the disk had not really stored is lost", (*cluster.Inside).PowerOff),
		each("restart", "start what is down again, over its old disk", (*cluster.Inside).Restart),
		each("pause", "stop the process, as SIGSTOP does", (*cluster.Inside).Pause),
		each("resume", "let it go on, with all that waited for it as a flood", (*cluster.Inside).Resume),
		each("wipe", "empty the disk: log, term and vote are forgotten", (*cluster.Inside).Wipe),
		each("snapshot", "have it take a snapshot of its counter", (*cluster.Inside).Snapshot),
		{name: "clock", syntax: "clock SEL FACTOR", help: "make its election and heartbeat timeouts FACTOR times as long", parse: func(r *reader) (action, error) {
			s, err := r.selector()
			if err != nil {
				return nil, err
			}
			factor, err := r.number("a factor", 0.01, 100)
			return func(x *execution) error {
				return x.each(s, func(id string) error { return x.c.SetClock(id, factor) })
			}, err
		}},
		{name: "disk", syntax: "disk SEL slow D|stall|fail|full|lie|corrupt|ok", help: "what is wrong with its disk", parse: parseDisk},
	}
}

func parseDisk(r *reader) (action, error) {
	s, err := r.selector()
	if err != nil {
		return nil, err
	}
	name, err := r.oneOf("a disk fault", "slow", "stall", "fail", "full", "lie", "corrupt", "ok")
	if err != nil {
		return nil, err
	}
	var fault faults.DiskFault
	switch name {
	case "slow":
		var latency time.Duration
		if latency, err = r.duration("how much longer a write takes"); err != nil {
			return nil, err
		}
		fault = faults.Slow{Latency: latency}
	case "stall":
		fault = faults.Stall{}
	case "fail":
		fault = faults.Fail{}
	case "full":
		fault = faults.Full{}
	case "lie":
		fault = faults.Lie{}
	case "corrupt":
		fault = faults.Corrupt{}
	}
	return func(x *execution) error {
		return x.each(s, func(id string) error { return x.c.SetDisk(id, fault) })
	}, nil
}

// memberCommands change who is a member, through Raft's log.
func memberCommands() []command {
	return []command{
		{name: "add-node", syntax: "add-node [NAME] [nonvoter]", help: "start a new node and make it a member", parse: func(r *reader) (action, error) {
			name := ""
			if r.more() && r.peek() != "nonvoter" {
				w, _ := r.take("a name")
				if !nameForm.MatchString(w.text) || slices.Contains(reserved, w.text) {
					return nil, r.fail(w, "%q cannot be a node's name: 1 to 32 letters, digits, dots, underscores and hyphens, and none of %s", w.text, strings.Join(reserved, ", "))
				}
				name = w.text
			}
			voter := !r.skip("nonvoter")
			r.scope.add(name)
			return func(x *execution) error { return x.c.AddNode(name, voter) }, nil
		}},
		each("remove-node", "remove it from the members and forget its disk", (*cluster.Inside).RemoveNode),
		each("promote", "make a non-voter a voter", (*cluster.Inside).Promote),
		each("demote", "make a voter a non-voter", (*cluster.Inside).Demote),
		{name: "transfer", syntax: "transfer [SEL]", help: "hand leadership to a node, or to the one whose log is the longest", parse: func(r *reader) (action, error) {
			if !r.more() {
				return func(x *execution) error { return x.c.Transfer("") }, nil
			}
			s, err := r.selector()
			return func(x *execution) error {
				id, err := s.one(x)
				if err != nil {
					return err
				}
				return x.c.Transfer(id)
			}, err
		}},
		{name: "recover", syntax: "recover SEL", help: "unsafe recovery: these nodes become the whole cluster", parse: func(r *reader) (action, error) {
			s, err := r.selector()
			return func(x *execution) error {
				ids, err := s.resolve(x)
				if err != nil {
					return err
				}
				return x.c.Recover(ids...)
			}, err
		}},
	}
}

// add makes a new node known; without a name, the next free one.
func (s *scope) add(name string) {
	for i := len(s.nodes) + 1; name == ""; i++ {
		if next := fmt.Sprintf("n%d", i); !slices.Contains(s.nodes, next) {
			name = next
		}
	}
	if !slices.Contains(s.nodes, name) {
		s.nodes = append(s.nodes, name)
	}
}
