package trace

import (
	"testing"
	"time"
)

func TestTimesAreFormatted(t *testing.T) {
	for _, c := range []struct {
		name   string
		format func(time.Duration) string
		d      time.Duration
		want   string
	}{
		{"Clock", Clock, 0, "0:00:00.0"},
		{"Clock", Clock, 83_456 * time.Millisecond, "0:01:23.4"},
		{"Clock", Clock, 100 * time.Hour, "100:00:00.0"},
		{"Clock", Clock, -time.Second, "-0:00:01.0"},
		{"ClockMillis", ClockMillis, 0, "0:00:00.000"},
		{"ClockMillis", ClockMillis, 83_456 * time.Millisecond, "0:01:23.456"},
		{"ClockMillis", ClockMillis, 83_406*time.Millisecond + 999*time.Microsecond, "0:01:23.406"},
		{"ClockMillis", ClockMillis, -1_050 * time.Millisecond, "-0:00:01.050"},
		{"Seconds", Seconds, 12_400 * time.Microsecond, "12ms"},
		{"Seconds", Seconds, 700 * time.Millisecond, "700ms"},
		{"Seconds", Seconds, 2 * time.Second, "2.0s"},
		{"Seconds", Seconds, 83_456 * time.Millisecond, "83.4s"},
		{"Seconds", Seconds, 999_999 * time.Microsecond, "999ms"},
		{"Age", Age, -1, "0.0s"},
		{"Age", Age, 400 * time.Millisecond, "0.4s"},
		{"Age", Age, 34 * time.Second, "34s"},
		{"Age", Age, 5 * time.Minute, "5m"},
		{"Age", Age, 99 * time.Hour, "99h"},
		{"Age", Age, 1000 * time.Hour, "41d"},
	} {
		if got := c.format(c.d); got != c.want {
			t.Errorf("%s(%s) = %q, want %q", c.name, c.d, got, c.want)
		}
	}
}

func TestMomentsTellsDifferentMomentsApart(t *testing.T) {
	const at = 5912 * time.Millisecond
	for _, c := range []struct {
		a, b time.Duration
		want string
	}{
		{at, at - time.Second, "5.9s 4.9s"},
		{at, at, "5.9s 5.9s"},
		{at, at - 4*time.Millisecond, "5.912s 5.908s"},
		{at, at + 7*time.Microsecond, "5.912000s 5.912007s"},
		{at, at - 1, "5.912s 5.911s"},
		{at, at + 1, "5.912000000s 5.912000001s"},
		{27 * time.Millisecond, 29 * time.Millisecond, "27ms 29ms"},
		{27 * time.Millisecond, 27*time.Millisecond + time.Microsecond, "0.027000s 0.027001s"},
	} {
		first, second := Moments(c.a, c.b)
		if got := first + " " + second; got != c.want {
			t.Errorf("%s and %s: got %q, want %q", c.a, c.b, got, c.want)
		}
	}
}
