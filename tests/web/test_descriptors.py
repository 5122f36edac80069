from __future__ import annotations

import pytest

from cds_service.web.descriptors import DescriptorsError, read_descriptors


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", {}),
        ("code,descriptor\n", {}),
        ("64461,some words\n", {"64461": "some words"}),
        ("Code, Descriptor\n64461,some words\n", {"64461": "some words"}),
        ('\ufeffcode,descriptor\r\n64461,"words, with a comma"\r\n\r\n', {"64461": "words, with a comma"}),
        (" 64461 , padded \n", {"64461": "padded"}),
    ],
)
def test_descriptors_are_read_by_code(tmp_path, content, found):
    file = tmp_path / "cpt.csv"
    file.write_text(content, encoding="utf-8", newline="")
    assert read_descriptors(file) == found


def test_no_file_has_none():
    assert read_descriptors(None) == {}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"64461\n", "row 1 must have two columns"),
        (b"64461,a secret text,more\n", "row 1 must have two columns"),
        (b"code,descriptor\n64461,\n", "row 2 must have two columns"),
        (b",words\n", "row 1 must have two columns"),
        (b"64461,\xff\xfe\n", "cannot be read as UTF-8 CSV"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_row_and_no_word_of_it(tmp_path, content, complaint):
    file = tmp_path / "cpt.csv"
    file.write_bytes(content)
    with pytest.raises(DescriptorsError) as error:
        read_descriptors(file)
    assert complaint in str(error.value)
    assert str(file) in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DescriptorsError, match="cannot be read"):
        read_descriptors(tmp_path)
