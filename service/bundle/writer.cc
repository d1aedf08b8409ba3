#include "service/bundle/writer.h"

#include <utility>

#include "service/bundle/tar.h"

namespace hizo::bundle {

Writer::Writer(crypto::AgeWriter age, About about) : age_(std::move(age)) {
  manifest_.about = std::move(about);
}

Writer Writer::Clone() const {
  Writer copy(age_.Clone(), manifest_.about);
  copy.manifest_ = manifest_;
  copy.hash_ = hash_;
  return copy;
}

void Writer::Append(std::string_view name, std::string_view content,
                    std::string& out) {
  std::string plain =
      TarMember(manifest_.folder(), name, manifest_.about.created, content);
  const size_t at = out.size();
  age_.Write(plain, out);
  hash_.Add(std::string_view(out).substr(at));
  crypto::WipeString(plain);
}

void Writer::Add(std::string_view name, std::string_view content, Kind kind,
                 std::string& out) {
  manifest_.members.push_back(ListedOf(std::string(name), content, kind));
  Append(name, content, out);
}

std::string Writer::Finish(const crypto::MinisignSigner& signer,
                           std::string& out) {
  const std::string json = ToJson(manifest_);
  Append(kManifestName, json, out);
  const std::string comment = "hizo bundle " + manifest_.about.id + " " +
                              TimeText(manifest_.about.created);
  Append(kSignatureName, signer.Sign(crypto::MinisignHash::Of(json), comment),
         out);
  const size_t at = out.size();
  age_.Write(TarEnd(), out);
  age_.Finish(out);
  hash_.Add(std::string_view(out).substr(at));
  return signer.Sign(hash_.Digest(), comment);
}

}  // namespace hizo::bundle
