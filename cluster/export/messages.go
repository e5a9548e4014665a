package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
)

// classNames names the messages that a diagram leaves out.
var classNames = [spacetime.Classes]string{
	spacetime.Decisive:      "snapshots and leadership transfers",
	spacetime.Votes:         "vote messages",
	spacetime.Appends:       "appends",
	spacetime.AppendReplies: "append replies",
	spacetime.PreVotes:      "pre-vote messages",
	spacetime.EmptyAppends:  "empty appends",
	spacetime.Heartbeats:    "heartbeats",
}

const (
	// arrowsMax is the largest number of messages drawn.
	arrowsMax = 220
	// routineMax is the largest number drawn if pre-votes or a lesser class are among them.
	routineMax = 90
)

// message is a packet from its sending to its end.
type message struct {
	from, to string
	reply    bool
	ok       bool // of a reply: the receiver accepted the request
	class    spacetime.Class
	sent     time.Duration
	end      time.Duration // when it arrived; of a lost one: when it would have
	lost     bool
}

// messageLog holds the messages of a diagram by class. Of a class that has too many to be
// drawn it only keeps the number.
type messageLog struct {
	kept     [spacetime.Classes][]message
	count    [spacetime.Classes]int
	inFlight map[uint64]message // by Packet.ID
	classes  spacetime.Classifier
}

// add records the sending, delivery or loss of a packet. Latency is the network's.
func (m *messageLog) add(at time.Duration, p *trace.Packet, latency time.Duration) {
	switch p.Status {
	case trace.Sent:
		if len(m.inFlight) > inFlightMax {
			m.inFlight = map[uint64]message{} // a trace may never end its packets
		}
		m.inFlight[p.ID] = message{from: p.From, to: p.To, reply: p.Reply, ok: p.OK, class: m.classes.Classify(p), sent: at}
		return
	case trace.Waiting, trace.Expired: // it is in flight until it is delivered or dropped
		return
	case trace.Delivered, trace.Lost:
	}
	one, ok := m.inFlight[p.ID]
	delete(m.inFlight, p.ID)
	if !ok {
		return
	}
	one.end, one.lost = at, p.Status == trace.Lost
	if one.lost {
		one.end = one.sent + max(latency, time.Millisecond)
	}
	m.count[one.class]++
	if m.count[one.class] <= arrowsMax {
		m.kept[one.class] = append(m.kept[one.class], one)
	}
}

// choose returns the messages to draw, in the order of their sending, and names those left
// out. It takes whole classes, most important first.
func (m *messageLog) choose() (chosen []message, leftOut string) {
	var out []string
	for c := range spacetime.Classes {
		limit := arrowsMax
		if c >= spacetime.PreVotes {
			limit = routineMax
		}
		if len(out) > 0 || len(chosen)+m.count[c] > limit {
			if m.count[c] > 0 {
				out = append(out, fmt.Sprintf("%d %s", m.count[c], classNames[c]))
			}
			continue
		}
		chosen = append(chosen, m.kept[c]...)
	}
	slices.SortStableFunc(chosen, func(a, b message) int { return cmp.Compare(a.sent, b.sent) })
	return chosen, strings.Join(out, ", ")
}
