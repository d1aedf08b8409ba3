#include "service/app/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "crypto/digest.h"
#include "service/base/status_macros.h"

namespace hizo::app {
namespace {

std::string Where(const std::string& name, const YAML::Mark& mark) {
  return name + ":" + std::to_string(mark.line + 1);
}

// Builds YamlValues from the parser's events. It works on events and not on
// yaml-cpp's own tree because that one has already followed aliases and merged
// doubled keys. What is refused is thrown as the parser's own exception, which
// never leaves ParseYaml.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string name) : name_(std::move(name)) {}

  YamlValue Take() && { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) Refuse(mark, "a second document begins here");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(mark, "?", anchor, YamlValue{});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases are not allowed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& text) override {
    YamlValue value;
    value.kind = YamlValue::Kind::kScalar;
    value.text = text;
    value.plain = tag == "?";
    Add(mark, tag, anchor, std::move(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, YamlValue::Kind::kList);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Begin(mark, tag, anchor, YamlValue::Kind::kMap);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  // A list or map that has begun and not ended. `value` stays where it is
  // because nothing is added to its parent before it ends.
  struct Open {
    YamlValue* value;
    std::set<std::string> keys;
    bool at_value = false;  // the key has been read, its value follows
    std::string key;
    std::string key_where;  // a block begins on the line after its key
  };

  [[noreturn]] static void Refuse(const YAML::Mark& mark, const char* what) {
    throw YAML::ParserException(mark, what);
  }

  void Begin(const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor, YamlValue::Kind kind) {
    if (open_.size() == kYamlDepthMax) Refuse(mark, "nested too deep");
    YamlValue value;
    value.kind = kind;
    open_.push_back(
        {Add(mark, tag, anchor, std::move(value)), {}, false, {}, {}});
  }

  YamlValue* Add(const YAML::Mark& mark, const std::string& tag,
                 YAML::anchor_t anchor, YamlValue value) {
    if (anchor != YAML::NullAnchor) Refuse(mark, "anchors are not allowed");
    if (tag != "?" && tag != "!") Refuse(mark, "tags are not allowed");
    value.where = Where(name_, mark);
    if (open_.empty()) return &(root_ = std::move(value));
    Open& parent = open_.back();
    if (parent.value->kind == YamlValue::Kind::kMap) {
      if (!parent.at_value) return AddKey(mark, parent, value);
      parent.at_value = false;
      value.key = parent.key;
      value.where = parent.key_where;
    }
    return &parent.value->items.emplace_back(std::move(value));
  }

  static YamlValue* AddKey(const YAML::Mark& mark, Open& map, YamlValue& key) {
    if (key.kind != YamlValue::Kind::kScalar) Refuse(mark, "a key is no text");
    if (!map.keys.insert(key.text).second) {
      Refuse(mark, "this key stands twice in its map");
    }
    map.key = std::move(key.text);
    map.key_where = std::move(key.where);
    map.at_value = true;
    return nullptr;
  }

  const std::string name_;
  YamlValue root_;
  std::vector<Open> open_;
  int documents_ = 0;
};

}  // namespace

absl::Status YamlValue::Error(const std::string& what) const {
  return absl::InvalidArgumentError(where + ": " + what);
}

absl::Status YamlValue::Read(std::string& out) const {
  if (kind != Kind::kScalar || text.empty()) return Error("wanted a text");
  out = text;
  return absl::OkStatus();
}

absl::Status YamlValue::Read(bool& out) const {
  if (!plain || (text != "true" && text != "false")) {
    return Error("wanted true or false");
  }
  out = text == "true";
  return absl::OkStatus();
}

absl::Status YamlValue::Read(std::vector<std::string>& out) const {
  if (kind != Kind::kList) return Error("wanted a list of texts");
  std::vector<std::string> texts(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    RETURN_IF_ERROR(items[i].Read(texts[i]));
  }
  out = std::move(texts);
  return absl::OkStatus();
}

absl::Status YamlValue::ReadNumber(uint64_t min, uint64_t max,
                                   uint64_t& out) const {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (!plain || error != std::errc() || rest != end || number < min ||
      number > max) {
    return Error("wanted a whole number from " + std::to_string(min) + " to " +
                 std::to_string(max));
  }
  out = number;
  return absl::OkStatus();
}

absl::StatusOr<YamlValue> ParseYaml(const std::string& text,
                                    const std::string& name) {
  if (text.size() > kYamlSizeMax) {
    return absl::InvalidArgumentError(name + ": larger than 1 MiB");
  }
  TreeBuilder builder(name);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(Where(name, error.mark) + ": " +
                                      error.msg);
  }
  YamlValue root = std::move(builder).Take();
  if (root.kind != YamlValue::Kind::kMap) {
    return absl::InvalidArgumentError(name + ": wanted `key: value` lines");
  }
  return root;
}

absl::StatusOr<YamlValue> ReadYaml(const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(YamlFile read, ReadYamlFile(file));
  return std::move(read.root);
}

absl::StatusOr<YamlFile> ReadYamlFile(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::NotFoundError(name + ": cannot be read");
  std::string text(kYamlSizeMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return absl::NotFoundError(name + ": cannot be read");
  text.resize(static_cast<size_t>(in.gcount()));
  return ReadYamlText(text, name);
}

absl::StatusOr<YamlFile> ReadYamlText(const std::string& text,
                                      const std::string& name) {
  YamlFile read;
  ASSIGN_OR_RETURN(read.root, ParseYaml(text, name));
  const crypto::Digest digest = crypto::Sha256(text);
  const std::string_view bytes = crypto::AsBytes(digest);
  read.digest = absl::BytesToHexString({bytes.data(), bytes.size()});
  return read;
}

YamlMap::YamlMap(const YamlValue& value) : value_(value) {
  if (value.kind != YamlValue::Kind::kMap) {
    status_ = value.Error("wanted `key: value` pairs");
  }
}

const YamlValue* YamlMap::Find(std::string_view key) {
  if (value_.kind != YamlValue::Kind::kMap) return nullptr;
  asked_.emplace(key);
  for (const YamlValue& item : value_.items) {
    if (item.key == key) return &item;
  }
  return nullptr;
}

const YamlValue* YamlMap::Need(std::string_view key) {
  const YamlValue* found = Find(key);
  if (found == nullptr) {
    Note(value_.Error("`" + std::string(key) + "` is missing"));
  }
  return found;
}

std::span<const YamlValue> YamlMap::ItemsOf(std::string_view key,
                                            YamlValue::Kind kind) {
  const YamlValue* found = Need(key);
  if (found == nullptr) return {};
  if (found->kind != kind) {
    Note(found->Error(kind == YamlValue::Kind::kList
                          ? "wanted a list"
                          : "wanted `key: value` pairs"));
    return {};
  }
  return found->items;
}

std::span<const YamlValue> YamlMap::List(std::string_view key) {
  return ItemsOf(key, YamlValue::Kind::kList);
}

std::span<const YamlValue> YamlMap::Map(std::string_view key) {
  return ItemsOf(key, YamlValue::Kind::kMap);
}

const YamlValue* YamlMap::OptionalMap(std::string_view key) {
  const YamlValue* found = Find(key);
  if (found == nullptr || found->kind == YamlValue::Kind::kMap) return found;
  Note(found->Error("wanted `key: value` pairs"));
  return nullptr;
}

size_t YamlMap::IndexIn(const YamlValue& value,
                        std::span<const std::string_view> names) {
  std::string wanted = "wanted one of";
  for (size_t i = 0; i < names.size(); ++i) {
    if (value.kind == YamlValue::Kind::kScalar && value.text == names[i]) {
      return i;
    }
    wanted.append(" ").append(names[i]);
  }
  Note(value.Error(wanted));
  return names.size();
}

void YamlMap::Note(absl::Status status) { status_.Update(std::move(status)); }

absl::Status YamlMap::Finish() {
  // A misspelt key comes before the key that it leaves missing.
  for (const YamlValue& item : value_.items) {
    if (value_.kind != YamlValue::Kind::kMap || asked_.contains(item.key)) {
      continue;
    }
    return item.Error("unknown key `" + item.key + "`");
  }
  return status_;
}

}  // namespace hizo::app
