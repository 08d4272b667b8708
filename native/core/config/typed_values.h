#pragma once

#include <string>
#include <vector>

#include "core/config/key_file.h"

namespace sightline {

// A value and where it stands, for messages.
struct Place {
  const KeyFile& file;
  const KeyFileGroup& group;
  const KeyFileEntry& entry;

  // Throws Error of kSettings: file, line, group, key and value, then `message`.
  [[noreturn]] void Fail(const std::string& message) const;
};

// A number that takes the whole text, or false.
bool ParseInt(const std::string& text, long long& out);
bool ParseFloat(const std::string& text, double& out);

// The value as what its key is; each calls Fail() where it is not.
int ReadInt(const Place& place, int least, int most);
int ReadCount(const Place& place);  // from 0
bool ReadBool(const Place& place);  // 0, 1, false or true
double ReadFloat(const Place& place);
float ReadFraction(const Place& place);  // 0 to 1
std::string ReadText(const Place& place);
std::string ReadPath(const Place& place);  // a relative one starts at the file's folder
std::vector<std::string> ReadTexts(const Place& place);
std::vector<double> ReadFloats(const Place& place);
// For keys of which the CPU knows one value.
void ReadOnly(const Place& place, int only, const char* why);

}  // namespace sightline
