package linger

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestZeroPolicyIsDefault(t *testing.T) {
	var zero Policy
	assert.Equal(t, Default, zero)
	d, finite := zero.Duration()
	assert.True(t, finite)
	assert.Equal(t, time.Second, d)
}

func TestPoliciesThatMeanTheSameAreEqual(t *testing.T) {
	assert.True(t, MustFor(0) == Drop)
	assert.True(t, MustFor(time.Second) == Default)
	assert.True(t, MustFor(math.MaxInt64) != Forever)
}

func TestForRefusesNegativeDurations(t *testing.T) {
	for _, d := range []time.Duration{-1, -time.Millisecond, -time.Second, math.MinInt64} {
		p, err := For(d)
		require.Error(t, err, "%v", d)
		assert.ErrorContains(t, err, d.String())
		assert.ErrorContains(t, err, "linger.Forever")
		assert.Equal(t, Default, p)
		assert.PanicsWithError(t, err.Error(), func() { MustFor(d) })
	}
}

func TestMilliseconds(t *testing.T) {
	const limit = math.MaxInt32 * time.Millisecond
	tests := []struct {
		policy Policy
		want   int
	}{
		{Default, 1000},
		{Drop, 0},
		{Forever, -1},
		{MustFor(1), 1},
		{MustFor(time.Millisecond - 1), 1},
		{MustFor(time.Millisecond), 1},
		{MustFor(time.Millisecond + 1), 2},
		{MustFor(250 * time.Millisecond), 250},
		{MustFor(limit - time.Millisecond), math.MaxInt32 - 1},
		{MustFor(limit - 1), math.MaxInt32},
		{MustFor(limit), math.MaxInt32},
		{MustFor(limit + 1), math.MaxInt32},
		{MustFor(math.MaxInt64), math.MaxInt32},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.policy.Milliseconds(), "%v", tt.policy)
	}
}

func TestWithin(t *testing.T) {
	tests := []struct {
		policy    Policy
		remaining time.Duration
		want      Policy
	}{
		{Default, time.Minute, Default},
		{Default, time.Second, Default},
		{Default, 300 * time.Millisecond, MustFor(300 * time.Millisecond)},
		{Default, 0, Drop},
		{Default, -time.Second, Drop},
		{Default, math.MinInt64, Drop},
		{Drop, time.Minute, Drop},
		{Drop, -time.Minute, Drop},
		{Forever, 3 * time.Second, MustFor(3 * time.Second)},
		{Forever, math.MaxInt64, MustFor(math.MaxInt64)},
		{Forever, 0, Drop},
		{Forever, -1, Drop},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.policy.Within(tt.remaining), "%v within %v", tt.policy, tt.remaining)
	}
}

// anyDuration returns a duration of any magnitude: small ones are as likely as
// large ones.
func anyDuration() time.Duration {
	return time.Duration(rand.Int64() >> rand.IntN(63))
}

func TestMillisecondsIsMonotone(t *testing.T) {
	for range 10_000 {
		a, b := anyDuration(), anyDuration()
		shorter, longer := MustFor(min(a, b)), MustFor(max(a, b))
		require.LessOrEqual(t, shorter.Milliseconds(), longer.Milliseconds(), "%v and %v", shorter, longer)
		require.Equal(t, shorter == Drop, shorter.Milliseconds() == 0, "%v", shorter)
	}
}

func TestWithinNeverExceeds(t *testing.T) {
	for range 10_000 {
		policy, remaining := MustFor(anyDuration()), anyDuration()
		for _, p := range []Policy{policy, Forever} {
			d, finite := p.Within(remaining).Duration()
			require.True(t, finite)
			require.LessOrEqual(t, d, remaining, "%v within %v", p, remaining)
			if whole, ok := p.Duration(); ok {
				require.LessOrEqual(t, d, whole, "%v within %v", p, remaining)
			}
		}
	}
}
