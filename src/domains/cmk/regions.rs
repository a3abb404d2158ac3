//! The regions of Alibaba Cloud and their names in the consoles.

/// Region id; its names in both languages, plain: without case, blanks, brackets and marks.
type Region = (&'static str, &'static [&'static str]);

/// Regions with an endpoint of KMS, and those that its documentation lists beside them (KMS API 2016-01-20, "Endpoints";
/// names: "Regions and zones").
const REGIONS: &[Region] = &[
    ("cn-qingdao", &["华北1", "青岛", "qingdao", "chinanorth1"]),
    ("cn-beijing", &["华北2", "北京", "beijing", "chinanorth2"]),
    ("cn-zhangjiakou", &["华北3", "张家口", "zhangjiakou", "chinanorth3"]),
    ("cn-huhehaote", &["华北5", "呼和浩特", "huhehaote", "hohhot", "chinanorth5"]),
    ("cn-wulanchabu", &["华北6", "乌兰察布", "wulanchabu", "ulanqab", "chinanorth6"]),
    ("cn-hangzhou", &["华东1", "杭州", "hangzhou", "chinaeast1"]),
    ("cn-shanghai", &["华东2", "上海", "shanghai", "chinaeast2"]),
    ("cn-nanjing", &["华东5", "南京", "nanjing", "chinaeast5"]),
    ("cn-fuzhou", &["华东6", "福州", "fuzhou", "chinaeast6"]),
    ("cn-wuhan-lr", &["华中1", "武汉", "wuhan", "chinacentral1"]),
    ("cn-shenzhen", &["华南1", "深圳", "shenzhen", "chinasouth1"]),
    ("cn-heyuan", &["华南2", "河源", "heyuan", "chinasouth2"]),
    ("cn-guangzhou", &["华南3", "广州", "guangzhou", "chinasouth3"]),
    ("cn-chengdu", &["西南1", "成都", "chengdu", "chinasouthwest1"]),
    ("cn-hongkong", &["香港", "hongkong"]),
    ("cn-hangzhou-finance", &["华东1金融云", "杭州金融云", "hangzhoufinance"]),
    ("cn-shanghai-finance-1", &["华东2金融云", "上海金融云", "shanghaifinance"]),
    ("cn-shenzhen-finance-1", &["华南1金融云", "深圳金融云", "shenzhenfinance"]),
    ("cn-beijing-finance-1", &["华北2金融云", "北京金融云", "beijingfinance"]),
    ("ap-southeast-1", &["新加坡", "singapore"]),
    ("ap-southeast-2", &["悉尼", "sydney"]),
    ("ap-southeast-3", &["吉隆坡", "kualalumpur"]),
    ("ap-southeast-5", &["雅加达", "jakarta"]),
    ("ap-southeast-6", &["马尼拉", "manila"]),
    ("ap-southeast-7", &["曼谷", "bangkok"]),
    ("ap-northeast-1", &["东京", "tokyo"]),
    ("ap-northeast-2", &["首尔", "seoul"]),
    ("ap-south-1", &["孟买", "mumbai"]),
    ("eu-central-1", &["法兰克福", "frankfurt"]),
    ("eu-west-1", &["伦敦", "london"]),
    ("us-east-1", &["弗吉尼亚", "virginia"]),
    ("us-west-1", &["硅谷", "siliconvalley"]),
    ("me-east-1", &["迪拜", "dubai"]),
    ("me-central-1", &["利雅得", "riyadh"]),
];

/// What stands before the name of a region, or behind it.
const AROUND: &[&str] = &[
    "中国",
    "澳大利亚",
    "马来西亚",
    "印度尼西亚",
    "菲律宾",
    "泰国",
    "日本",
    "韩国",
    "印度",
    "德国",
    "英国",
    "美国",
    "阿联酋",
    "沙特",
    "沙特阿拉伯",
    "市",
    "地域",
    "china",
    "australia",
    "malaysia",
    "indonesia",
    "philippines",
    "thailand",
    "japan",
    "southkorea",
    "korea",
    "india",
    "germany",
    "uk",
    "us",
    "uae",
    "saudiarabia",
];

/// The id of the region that a console's name stands for: `华东1（杭州）`, `China (Hangzhou)`. Case, blanks, brackets and
/// marks do not matter.
pub fn region_id(name: &str) -> Option<&'static str> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let found =
        REGIONS.iter().find(|(id, names)| id.split('-').collect::<String>() == plain || is_made_of(&plain, names));
    found.map(|(id, _)| *id)
}

/// Whether a text is one of the names, perhaps with another, or with what may stand around it.
fn is_made_of(plain: &str, names: &[&str]) -> bool {
    let mut splits = plain.char_indices().map(|(at, _)| plain.split_at(at));
    let goes_with = |text: &str| text.is_empty() || names.contains(&text) || AROUND.contains(&text);
    names.contains(&plain)
        || splits.any(|(front, back)| {
            goes_with(front) && goes_with(back) && (names.contains(&front) || names.contains(&back))
        })
        || AROUND.iter().filter_map(|around| plain.strip_prefix(around)).any(|rest| {
            let mut splits = rest.char_indices().map(|(at, _)| rest.split_at(at));
            splits.any(|(front, back)| names.contains(&front) && names.contains(&back))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_consoles_stand_for_their_region_and_no_other() {
        for (name, id) in [
            ("华东1（杭州）", "cn-hangzhou"),
            ("华东 1 (杭州)", "cn-hangzhou"),
            ("China (Hangzhou)", "cn-hangzhou"),
            ("China East 1 (Hangzhou)", "cn-hangzhou"),
            ("CN_HANGZHOU", "cn-hangzhou"),
            ("杭州市", "cn-hangzhou"),
            ("中国（香港）", "cn-hongkong"),
            ("Japan (Tokyo)", "ap-northeast-1"),
            ("日本（东京）", "ap-northeast-1"),
            ("US (Silicon Valley)", "us-west-1"),
            ("华北2 金融云", "cn-beijing-finance-1"),
            ("Ap-SouthEast-1", "ap-southeast-1"),
        ] {
            assert_eq!(region_id(name), Some(id), "{name}");
        }
        for name in ["", "华东", "China", "Asia", "cn-hangzhou-b", "杭州上海", "north", "production"] {
            assert_eq!(region_id(name), None, "{name}");
        }
    }

    #[test]
    fn no_name_stands_for_two_regions() {
        let mut names: Vec<&str> = REGIONS.iter().flat_map(|(_, names)| *names).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for (id, names) in REGIONS {
            names.iter().for_each(|name| assert_eq!(region_id(name), Some(*id), "{name}"));
            assert_eq!(region_id(id), Some(*id));
        }
    }
}
