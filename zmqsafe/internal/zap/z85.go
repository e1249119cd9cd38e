package zap

import "encoding/binary"

// z85Key returns a public key of 32 bytes as 40 characters of Z85, the form in
// which programs write keys (https://rfc.zeromq.org/spec/32). For any other
// length it returns an empty string.
func z85Key(key string) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
	if len(key) != 32 {
		return ""
	}
	var text []byte
	for ; key != ""; key = key[4:] {
		n := binary.BigEndian.Uint32([]byte(key))
		for _, unit := range []uint32{85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1} {
			text = append(text, digits[n/unit%85])
		}
	}
	return string(text)
}
