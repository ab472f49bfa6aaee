/* SPDX-License-Identifier: Apache-2.0 */
/* Our own end-to-end vector, from terminal seed to receipt: made with libsodium, its note checked
 * by Go's x/mod, its inclusion by sigstore-js, its PAE signature by the openssl command. */
#pragma once

static const char vector_payload[] =
    "{\"election\":\"demo-2026\",\"unit\":\"01-0001\",\"revision\":1,\"salt\":\"0001020304050"
    "60708090a0b0c0d0e0f\",\"votes\":[[\"list-1\",140],[\"list-2\",143]],\"invalid\":8}";
static const char vector_envelope[] =
    "{\"payload\":\"eyJlbGVjdGlvbiI6ImRlbW8tMjAyNiIsInVuaXQiOiIwMS0wMDAxIiwicmV2aXNpb24iOjEsI"
    "nNhbHQiOiIwMDAxMDIwMzA0MDUwNjA3MDgwOTBhMGIwYzBkMGUwZiIsInZvdGVzIjpbWyJsaXN0LTEiLDE0MF0sW"
    "yJsaXN0LTIiLDE0M11dLCJpbnZhbGlkIjo4fQ==\",\"payloadType\":\"application/vnd.tally.bundle"
    ".v1+json\",\"signatures\":[{\"keyid\":\"56475aa75463474c0285df5dbf2bcab73da651358839e9b7"
    "7481b2eab107708c\",\"sig\":\"bTwzg5yEMmwx81aqellPeNtROEemBszZpktBcRw7mOByr7HFPjQW6+usUDj"
    "VSWIxkzanlGmQPCeIirPokjuCBQ==\"}]}";
static const char vector_leaf0[] =
    "tally/leaf/v1\nkind genesis\nelection demo-2026\ndefinition 4c4ed1afbfdaa1e4c3bf7bbb82d7"
    "30cecb7e384da91eea4f3cc093fd545524d6\nregistry 872491a30d60d598962de6e7b834ab76b2aa65fba"
    "b102c6ebaaae6acdc238822\naccepted 1793231000000\n";
static const char vector_leaf1[] =
    "tally/leaf/v1\nkind bundle\nelection demo-2026\nunit 01-0001\nrevision 1\nprev -\nkey 56"
    "475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c\npayload 7b1ae1468b255538"
    "24169cb90720f0b6d8e0d526f302566a7763f444d27769a4 148\nenvelope 653b92c932109698d5fd3643a"
    "32976e4ef7f21003e5a2030777284e76a6d5d03 456\naccepted 1793232000000\n";
static const char vector_receipt[] =
    "c2sp.org/tlog-proof@v1\nextra dGFsbHkvbGVhZi92MQpraW5kIGJ1bmRsZQplbGVjdGlvbiBkZW1vLTIwMj"
    "YKdW5pdCAwMS0wMDAxCnJldmlzaW9uIDEKcHJldiAtCmtleSA1NjQ3NWFhNzU0NjM0NzRjMDI4NWRmNWRiZjJiY2"
    "FiNzNkYTY1MTM1ODgzOWU5Yjc3NDgxYjJlYWIxMDc3MDhjCnBheWxvYWQgN2IxYWUxNDY4YjI1NTUzODI0MTY5Y2"
    "I5MDcyMGYwYjZkOGUwZDUyNmYzMDI1NjZhNzc2M2Y0NDRkMjc3NjlhNCAxNDgKZW52ZWxvcGUgNjUzYjkyYzkzMj"
    "EwOTY5OGQ1ZmQzNjQzYTMyOTc2ZTRlZjdmMjEwMDNlNWEyMDMwNzc3Mjg0ZTc2YTZkNWQwMyA0NTYKYWNjZXB0ZW"
    "QgMTc5MzIzMjAwMDAwMAo=\nindex 1\nh8TJxGmI0wFy8T09/cTG/o+M1sIQ4wB8Am6QmicC5MA=\n\ntally.e"
    "xample/demo-2026\n2\nlU3kr9Um+SJwmBdNgXRUwYH8kVem81TrdzQwtk77Eb8=\n\n\xe2\x80\x94"
    " tally.example/dem"
    "o-2026 6d3ANWY6G7PBEIQAUchEgySf9EFvOeQ8w8xcrPUd3uCtTbaCmSRb3ZobG6FPRwSSwLm0XqtVRn0m9F8He"
    "w81iXBntg4=\n\xe2\x80\x94"
    " board-1.example/witness aKDCIwAAAABq4oyBWFA8KbZCPgpIUf4wcQYcBI0syXSMmWf02"
    "oz+2haDEY18myNf6sSjYEqZ98vscbHbi9UtP3NUBNsuIa58XzU/DQ==\n";
static const char vector_seed[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char vector_key[] = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
static const char vector_keyid[] =
    "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c";
static const char vector_payload_sha256[] =
    "7b1ae1468b25553824169cb90720f0b6d8e0d526f302566a7763f444d27769a4";
static const char vector_pae_sha256[] =
    "2203451ef332ef24da43b790e599ec87184840611c821921f65ae056ef3f5e33";
static const char vector_envelope_sha256[] =
    "653b92c932109698d5fd3643a32976e4ef7f21003e5a2030777284e76a6d5d03";
static const char vector_leaf0_hash[] =
    "87c4c9c46988d30172f13d3dfdc4c6fe8f8cd6c210e3007c026e909a2702e4c0";
static const char vector_leaf1_hash[] =
    "a7b4473221dcfe349fafccb981e5ee366453eca02a1043dcdd109960b784a0b8";
static const char vector_log_vkey[] =
    "tally.example/demo-2026+e9ddc035+AYSYczLOHFc79Ils3CblMurj4GHqrH6NeFYmgek92VWr";
