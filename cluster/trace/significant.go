package trace

// IsSignificant reports whether an event is worth stopping at. Heartbeats, appends and their
// replies are not, because their effects are events of their own; a refused append is, and
// so is every other packet once it is delivered or lost. Lines of the library's log are
// not, nor are reasons, which explain other events, nor a verdict that is ok.
func IsSignificant(e *Event) bool {
	switch {
	case e.Kind == KindLogLine, e.Kind == KindReason, e.Kind == KindVerdict && e.Verdict == VerdictOK:
		return false
	case e.Kind != KindPacket || e.Packet == nil:
		return true
	case e.Packet.Kind == "append":
		return e.Packet.Reply && !e.Packet.OK && e.Packet.Status == Delivered
	}
	return e.Packet.Kind != "heartbeat" && e.Packet.Status != Sent && e.Packet.Status != Waiting
}
