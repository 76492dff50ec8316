// SPDX-License-Identifier: Apache-2.0

package enrich

// country is an ISO 3166-1 alpha-2 code as a small number; 0 is unknown.
type country uint16

const numCountries = 1 + 26*26

// parseCountry returns 0 for what is not two capital letters.
func parseCountry(s string) country {
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return 0
	}
	return 1 + country(s[0]-'A')*26 + country(s[1]-'A')
}

func (c country) String() string {
	if c == 0 {
		return ""
	}
	return string([]byte{'A' + byte((c-1)/26), 'A' + byte((c-1)%26)})
}
