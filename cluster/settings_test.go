package cluster

import "testing"

func TestSettingErrorsNameTheSettingOnce(t *testing.T) {
	s := DefaultSettings()
	for _, test := range []struct{ given, want string }{
		{"election=1ms", `election=1ms: "1ms" is not a duration from 5ms to 1h0m0s, like 250ms or 2s`},
		{"prevote=maybe", `prevote=maybe: "maybe" is neither on nor off`},
		{"prevote", "prevote: write KEY=VALUE, like election=2s"},
	} {
		if err := ApplySettings(&s, []string{test.given}); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if err := SetSetting(&s, "prevote", "maybe"); err == nil || err.Error() != `prevote: "maybe" is neither on nor off` {
		t.Errorf("got %v, want the setting's name before the error", err)
	}
}
