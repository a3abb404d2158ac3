//! Whether a few bytes are Chinese in GB18030, by the characters of which most Chinese text consists; or Korean or Japanese
//! in the encodings of their spreadsheets.
//!
//! Lists of keys are written in ASCII but for a few words, which are too few for a guess by statistics of languages. What
//! Chinese spreadsheets save is GB18030; read so, the bytes of any other encoding give characters that nobody writes.

use encoding_rs::{EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS};

/// Characters of the words of inventories, of lists of systems and teams, and of most other text.
const COMMON: &str = "\
    的一是不了在有人这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还发成\
    事只作当想看文无开手用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话\
    儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五\
    太水万市特数件王十表系统员报期运单界保度任今安设管理告求程量提条级类标准模式号数据库表字段值列行文件夹录目密钥匙码加解签名验证书\
    别描述说明材料来源轮转换旋周期版本创建更改修删除更新启停禁用状态待计划导入出默认实例所属地域区华杭州深圳青岛张口呼和浩特成都南京福\
    广武汉郑乌兰察布河香港新坡首尔东京马尼拉曼谷雅加达吉隆伦敦法兰克福硅谷弗吉尼亚硬软共享专有网络经典互联公有云内部中心机房阿巴里服务\
    器存储对象块盘卷备份快照镜像容弹性计算函数消息队列缓日志监控告警审计费账户帐角色权限策略组织成员负责人团队部门小组业务应用程序系统\
    平台产品项目环境生产测试预发开发运维研技术支持安全风险合规财务支付订单交易清结算库存仓物流客商户用户会员渠道营销推广告活动优惠券积分\
    风报销采购合同法务人事力资源薪行政办公室总经理主管助理董监秘书销售市场品牌设计前后端移动数智能算法模型训练推荐搜索索引引擎接口调用\
    网关路由负载均衡域名解析证书防火墙漏洞扫描堡垒主机终端办公邮箱邮件短信语音视频直播点播图片像识别翻译地理位置导航打车外卖酒店机票\
    旅游教育医疗健康保险银行证券基金贷款信用卡理财房汽车能源制造零售快递食品餐饮娱乐音乐影视体育新闻阅读小说漫画社交通讯公益慈善政府\
    称型否无需是自动手工已未启用关闭开不可见支持暂停恢复失败成功正常异常完成进行等待处审批核准通过拒绝撤回申请提交草稿归档过期有效无效\
    唯一标识编号序总合计小计年月日时分秒天周季度上下午早晚期限间隔频率次最近首末尾前后左右高低优级紧急重要普通般备注注释说明其他另外附\
    语言编写脚本框架工具包依赖客户端服务器版迁移评估结果原因建议措施责任截止执行验收回滚兼容差异影响范围清单列表明细汇总统计图报告\
    李王张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦\
    付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤伟芳娜敏静丽强磊军洋勇艳杰娟涛超明霞秀刚平燕辉玲桂英华文\
    建国红春海波宁飞鹏宇浩鑫晨阳佳欣雨婷雪梅兰竹菊晓小志忠义德仁孝信永远东西南北京沪粤浙苏鲁川渝豫鄂湘闽皖赣晋陕甘青宁新藏桂黔滇琼\
    辽吉黑冀蒙台澳元角万亿千百十零壹贰叁肆伍陆柒捌玖拾甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥请勿随便必须应该可能或者以及但是如\
    果因此根据按照关于对于由每各某该本此那哪谁什么怎样多少几项步骤流程规则条款协议约束格式样例示范模板参考链接址址码电话手机传真联络\
    做让叫跟比较更非常极度太很些少许又再还仍曾经将要正刚才马立即长久临老旧坏错误缺丢损备冷热温湿光速快慢轻重厚薄宽窄深浅远亲疏强弱\
    钥户外购买卖租赁续缴退款余额账单价格折扣税率票据凭证印章双单向循环嵌套递归遍历查询读取写删增改锁事务并发线程进程内核驱动固件芯\
    片板卡槽盒柜架楼层栋座街镇乡村县省城洲洋岛湖泊森林农牧渔矿煤油气电热力核太阳能风光伏储充桩桶仓箱袋瓶罐件批次班值勤岗职称衔\
    √×私公署途轮替换交接班密文明段哈希摘要随机种子向导派生封装拆包托管自带外部非对称算保护级别软硬联盟链块共识账本客训监查巡检纠察督导挂窗腾操含获半适";

/// Two of three characters are to be common.
const MOST: (usize, usize) = (2, 3);

/// So many characters tell.
const ENOUGH: usize = 4096;

/// The encoding of a few words of East Asia in text that is no UTF-8, as far as it is sound; nothing if they may as well
/// be those of others.
pub(super) fn encoding(sample: &[u8]) -> Option<&'static Encoding> {
    let chinese = Share::of(sample, GB18030, is_common);
    // Hangul is what the same bytes are in Korean, unless others stand among them.
    let korean = || Share::of(sample, EUC_KR, |c| matches!(c, '가'..='힣'));
    if chinese.is_most() && (chinese.is_all() || !korean().is_all()) {
        Some(GBK)
    } else if korean().is_all() && korean().all > 1 {
        Some(EUC_KR)
    } else {
        // Kana stand between ideographs.
        let japanese = Share::of(sample, SHIFT_JIS, |c| matches!(c, 'ぁ'..='ヺ' | 'ー'));
        (japanese.sound >= japanese.broken && japanese.these > 1 && japanese.these * 2 >= japanese.all)
            .then_some(SHIFT_JIS)
    }
}

/// How many of the characters of a text, read in one encoding, are such that people write.
#[derive(Debug, Default)]
struct Share {
    /// Pieces that can be decoded, and others.
    sound: usize,
    broken: usize,
    these: usize,
    all: usize,
}

impl Share {
    fn of(sample: &[u8], encoding: &'static Encoding, is_one: impl Fn(char) -> bool) -> Share {
        let mut share = Share::default();
        // None of these is ever part of a longer character.
        let pieces = sample.split(|byte| matches!(byte, b'\n' | b'\r' | b'\t' | b',' | b'"'));
        for piece in pieces.filter(|piece| !piece.is_ascii()) {
            let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(piece) else {
                share.broken += 1;
                continue;
            };
            share.sound += 1;
            if share.all > ENOUGH {
                continue;
            }
            for c in text.chars().filter(|c| !c.is_ascii() && !is_neutral(*c)) {
                share.all += 1;
                share.these += usize::from(is_one(c));
            }
        }
        share
    }

    fn is_most(&self) -> bool {
        self.sound >= self.broken && self.all > 0 && self.these * MOST.1 >= self.all * MOST.0
    }

    fn is_all(&self) -> bool {
        self.broken == 0 && self.all > 0 && self.these == self.all
    }
}

/// Whether text that is UTF-8 mixes scripts inside a word as nobody does, so that it is UTF-8 by chance: two pairs of
/// bytes of GB18030, such as those of 未知, may look like a Greek and an Armenian letter.
pub(super) fn is_utf_8_by_chance(text: &str) -> bool {
    let words = text.split(|c: char| c.is_ascii());
    words.into_iter().any(|word| {
        let mut scripts = word.chars().map(script);
        scripts.next().is_some_and(|first| scripts.any(|other| other != first))
    }) && Share::of(text.as_bytes(), GB18030, is_common).is_most()
}

/// Alphabets whose letters have two bytes in UTF-8, by block. All other characters count as Chinese.
fn script(c: char) -> u8 {
    match c {
        '\u{80}'..='\u{2af}' => 1,
        '\u{2b0}'..='\u{36f}' => 2,
        '\u{370}'..='\u{3ff}' => 3,
        '\u{400}'..='\u{52f}' => 4,
        '\u{530}'..='\u{58f}' => 5,
        '\u{590}'..='\u{5ff}' => 6,
        '\u{600}'..='\u{7ff}' => 7,
        _ => 0,
    }
}

/// Punctuation and full-width forms of ASCII.
fn is_neutral(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff5e}' | '\u{2010}'..='\u{2027}')
}

fn is_common(c: char) -> bool {
    COMMON.contains(c)
}

/// Where the words of inventories stand.
#[cfg(test)]
pub(super) const WORDS: [&str; 5] = [
    include_str!("../domains/cmk/words.rs"),
    include_str!("../domains/cmk/applications.rs"),
    include_str!("../domains/cmk/operations.rs"),
    include_str!("../domains/cmk/periods.rs"),
    include_str!("../domains/cmk/versions.rs"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domains::cmk::fields::FIELDS;

    fn of_gb18030(text: &str) -> bool {
        encoding(&GB18030.encode(text).0) == Some(GBK)
    }

    #[test]
    fn every_chinese_word_of_inventories_is_common() {
        let words = WORDS.concat();
        let fields = FIELDS.iter().flat_map(|field| field.spellings.iter().flat_map(|spelling| spelling.chars()));
        let hanzi: Vec<char> = words.chars().chain(fields).filter(|c| matches!(c, '\u{4e00}'..='\u{9fff}')).collect();
        assert!(hanzi.len() > 100, "the words were not found");
        let rare: String = hanzi.into_iter().filter(|c| !is_common(*c)).collect();
        assert_eq!(rare, "");
    }

    #[test]
    fn words_that_are_utf_8_by_chance_are_told_from_those_that_are_meant() {
        let by_chance = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(is_utf_8_by_chance);
        assert!(by_chance(&GB18030.encode("key_id,versions\nk1,未知\n").0));
        for text in ["Raúl Núñez", "België", "Ωmega", "Отдел", "密钥", "naïve café", "Ελληνικά", "50 €/µs", "ﬁ"]
        {
            assert!(!is_utf_8_by_chance(text), "{text}");
        }
    }

    #[test]
    fn characters_that_nobody_writes_are_not_chinese() {
        assert!(of_gb18030("支付团队") && of_gb18030("a,是\nb,否\n") && of_gb18030("（主）负责人：张伟"));
        for bytes in [&b"Cl\xe9,R\xe9gion"[..], b"f\xfcr", b"\xc5\xb0", "alias".as_bytes(), b"\xe9"] {
            assert!(encoding(bytes).is_none(), "{bytes:?}");
        }
        // A damaged place is no sign of another encoding.
        assert_eq!(encoding(&[&*GB18030.encode("密钥\n别名\n").0, b"\xb0\n"].concat()), Some(GBK));
    }
}
