// Made by tests/crypto/format_vectors.py, an independent encoder of the
// formats of crypto/FORMAT.md. Do not edit.
#ifndef HIZO_TESTS_CRYPTO_FORMAT_VECTORS_H_
#define HIZO_TESTS_CRYPTO_FORMAT_VECTORS_H_

namespace hizo::crypto {

inline constexpr char kVectorDek[] =
    "5ab5ee54667f5ecc108ced6f473e6992618673fd9d576f2f097500cfb09a1c8d";
inline constexpr char kVectorSubject[] = "e39869ab2acee03d1b57341a181134fc";
inline constexpr char kVectorRecordId[] = "163a9b519f0394e132911d2b4bdf615c";
inline constexpr char kVectorRow[] =
    "0101000000020000000000030135250500000000000000050102030405060708b8674cc7"
    "7939de09c8cef3e124d1739745c75d783112b848a67fd5e11bc237280003000100000000"
    "000000040000004800020000000000000005000000480009000000000000000500000068"
    "923b094fcbfb02eb1b8db20360a8623512ab7f9077f501c27e9ec15e320e59a29ad86d5e"
    "c1dc66823ad981f463b4e56597a2ea5875bd5afa3d334e22b279aed403b6682648355fe5"
    "85cde592cdd4bdba45422ef403045e40c9c1327f4a5f881606b5bed33f704a91d43e6027"
    "7348911c2575d11beb189c34c0d58d672997e039db6f7e16be16089433c92091d6c2f8ee"
    "e89f9b49bc8d02205fcf41d6c6878570510c47fa996a25da560e8b67b48873df68a718de"
    "67233eb302d6c1f456c60aa555dfb72733400567728c418ff248a8efa597a55a4171e557"
    "43722f8bc19369826e5857d280c04e028e43a40566a071882c19d76d57511a74";
inline constexpr char kVectorSalamanderDek1[] =
    "624dcfb471eb4956cedc35420e9af2492c00653a18d0da31df1b452b8ec4865d";
inline constexpr char kVectorSalamanderDek2[] =
    "a94e1b48bb0bad1576ff59913cafe818fbea4e85b61601e7d9d2ccb46bcea808";
inline constexpr char kVectorSalamanderFieldKey1[] =
    "1017286830e31db3ffa60203fe1a9d3730b0e0c7b6792d8e3308c842e53f8330";
inline constexpr char kVectorSalamanderFieldKey2[] =
    "6370e5f39fb491861ac7f16f3b1852045d3889d20638fb5b2c7e12bc788bc551";
inline constexpr char kVectorSalamanderData[] =
    "68697a6f2f6669656c642f76310001010000000200000000000301352505000000040000"
    "000700000010e39869ab2acee03d1b57341a181134fc00000002000200000010163a9b51"
    "9f0394e132911d2b4bdf615c00010000000000000001";
inline constexpr char kVectorSalamanderRow[] =
    "0101000000020000000000030135250500000000000000010000000000000009931de2b1"
    "33be3711e1e58ce39036bfacdc8cc94eeca5946e380a67aecc8e6f260001000100000000"
    "000000010000008811fb2c57f8616652dee45d3784b3fc72ee0049e3bf6b196255542470"
    "635239fbd583017f1933dc1c57e26a9f2d158587a2a59c005311b14570f8fe65f3d95045"
    "29ba9854609a3db5935192c250d8d1db549e70dae93857d67cd4fcd9b6565832d278f68e"
    "29ef217d72956b7e66742c49b6b26733ce8c413ecef501a4c56947732f4a37a78557f662";
inline constexpr char kVectorStoreId[] = "18b5f4b09a739710715adbdee3a3fe44";
inline constexpr char kVectorStoreSalt[] =
    "e9dc03538b07b60a16cc62c5929904963a85f7a4d85742106a91125dd1c86c51";
inline constexpr char kVectorRoot[] =
    "9db73256280fd01558d8582b3358e1149e9d0d5e0fdd7c0b38960a9a176565bd";
inline constexpr char kVectorTenantKey[] =
    "51fa75a8a2222883028814dfce68aa3896c1435029bdeeca456fe79e00625168";
inline constexpr char kVectorWrappedKey[] =
    "687b9b2c70a5c665ceb27fb29761eed9168865085138fd6e12c13362d711ff41";
inline constexpr char kVectorWrap[] =
    "3083230db547ef7b41f5376f866642753aabb5adc57d5cbfdda9ff75f4fb806aec05efbf"
    "e70ab53a271a4892b5b71fb2f9674a477c118189e794cd5d03b47abf174c7391f2c437b0";
inline constexpr char kVectorRootCheck[] =
    "aba7061f181c5acb462a89af2b9718463e64033f6a15edcbaeb9cad05d23024d";
inline constexpr char kVectorBucket[] = "63b2";
inline constexpr char kVectorShardKey[] =
    "65213fe4d409cdd2529bc9f11926b7104ed6c6cbbd637379ca199ebae82e1e7a";
inline constexpr char kVectorIndexTag[] = "a3d19abdc5f29801e38b1d15b5d9fb12";
inline constexpr char kVectorIndexRoute[] = "6cd8";
inline constexpr char kVectorIndexEntry[] =
    "baaaa5a81315cab1978ac874c0e4676992f41bcb76fbf5b1fe57504586ac3e9da6246e37"
    "37ade880ac7951f0f610d2d2b901aa851569c8846653796f70c027b6b2a926d663c13a19";
inline constexpr char kVectorSlotChecksum[] =
    "8bd7c822d61042dbfffe188cd122b64905182807823707453b83cbebe4bbe976";
inline constexpr char kVectorProtectedBlock[] =
    "48495a4f534c5431010900000000000018b5f4b09a739710715adbdee3a3fe4400000000"
    "000000069db73256280fd01558d8582b3358e1149e9d0d5e0fdd7c0b38960a9a176565bd";
inline constexpr char kVectorProtectedChecksum[] =
    "a1b19511f4cb9b8fad30652d590b45eb930da31bc8deb0be3d9dac2d50e9fe34";
inline constexpr char kVectorPrf[] =
    "1f5aad407ab4636e7d6dbfa09ec92ad215e71ce5521167f6adb3d6af477280ba";

}  // namespace hizo::crypto

#endif  // HIZO_TESTS_CRYPTO_FORMAT_VECTORS_H_
